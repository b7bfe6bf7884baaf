using Akka.Event;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>The answer to <see cref="Subscribe"/>, to whoever told it.</summary>
public sealed class SubscribeAck(Subscribe subscribe) : IEquatable<SubscribeAck>, IDeadLetterSuppression
{
    public Subscribe Subscribe { get; } = subscribe;

    public bool Equals(SubscribeAck? other) => other is not null && Subscribe.Equals(other.Subscribe);

    public override bool Equals(object? obj) => Equals(obj as SubscribeAck);

    public override int GetHashCode() => Subscribe.GetHashCode();

    public override string ToString() => $"SubscribeAck<{Subscribe}>";
}
