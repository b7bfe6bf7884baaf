using Akka.Event;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>The answer to <see cref="Unsubscribe"/>, to whoever told it.</summary>
public sealed class UnsubscribeAck(Unsubscribe unsubscribe) : IEquatable<UnsubscribeAck>, IDeadLetterSuppression
{
    public Unsubscribe Unsubscribe { get; } = unsubscribe;

    public bool Equals(UnsubscribeAck? other) => other is not null && Unsubscribe.Equals(other.Unsubscribe);

    public override bool Equals(object? obj) => Equals(obj as UnsubscribeAck);

    public override int GetHashCode() => Unsubscribe.GetHashCode();

    public override string ToString() => $"UnsubscribeAck<{Unsubscribe}>";
}
