using System.Collections.Immutable;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>What mediators say to each other.</summary>
internal static class PubSubMessages
{
    /// <summary>How far I know the buckets: send me what I lack, and, unless this is an answer, tell me how far you know them.</summary>
    public sealed record BucketStatus(ImmutableSortedDictionary<UniqueAddress, long> Versions, bool IsAnswer) : IDistributedPubSubMessage;

    public sealed record Deltas(IReadOnlyList<Registry.Delta> Buckets) : IDistributedPubSubMessage;

    /// <summary>For your takers under this key: all of them, or any one.</summary>
    public sealed record Deliver(string Key, bool ToOne, object Message) : IDistributedPubSubMessage;

    /// <summary>Asks for the number of a topic's takers on all nodes, as an int. Never travels.</summary>
    public sealed record CountTakers(string Topic);
}
