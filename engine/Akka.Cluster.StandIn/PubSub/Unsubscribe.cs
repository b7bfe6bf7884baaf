using Akka.Actor;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>Undoes a <see cref="Subscribe"/> with the same topic, actor and group.</summary>
public sealed class Unsubscribe : IEquatable<Unsubscribe>
{
    public Unsubscribe(string topic, IActorRef @ref, string? group = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        ArgumentNullException.ThrowIfNull(@ref);
        Topic = topic;
        Ref = @ref;
        Group = group;
    }

    public string Topic { get; }

    public string? Group { get; }

    public IActorRef Ref { get; }

    public bool Equals(Unsubscribe? other)
        => other is not null && Topic == other.Topic && Group == other.Group && Ref.Equals(other.Ref);

    public override bool Equals(object? obj) => Equals(obj as Unsubscribe);

    public override int GetHashCode() => HashCode.Combine(Topic, Group, Ref);

    public override string ToString() => $"Unsubscribe<topic:{Topic}, group:{Group}, ref:{Ref}>";
}
