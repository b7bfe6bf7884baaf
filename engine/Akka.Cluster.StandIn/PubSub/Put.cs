using Akka.Actor;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>Makes an actor known by its path, for <see cref="Send"/> and <see cref="SendToAll"/>.</summary>
public sealed class Put(IActorRef @ref) : IEquatable<Put>
{
    public IActorRef Ref { get; } = @ref;

    public bool Equals(Put? other) => other is not null && Ref.Equals(other.Ref);

    public override bool Equals(object? obj) => Equals(obj as Put);

    public override int GetHashCode() => Ref.GetHashCode();

    public override string ToString() => $"Put<ref:{Ref}>";
}
