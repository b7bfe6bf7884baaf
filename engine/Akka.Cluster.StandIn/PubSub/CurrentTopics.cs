using System.Collections.Immutable;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>The answer to <see cref="GetTopics"/>.</summary>
public sealed class CurrentTopics(IImmutableSet<string> topics)
{
    public IImmutableSet<string> Topics { get; } = topics;
}
