using Akka.Actor;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>Subscribes an actor to a topic. With a group only what is published to one of each group reaches it.</summary>
public sealed class Subscribe : IEquatable<Subscribe>
{
    public Subscribe(string topic, IActorRef @ref, string? group = null)
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

    public bool Equals(Subscribe? other)
        => other is not null && Topic == other.Topic && Group == other.Group && Ref.Equals(other.Ref);

    public override bool Equals(object? obj) => Equals(obj as Subscribe);

    public override int GetHashCode() => HashCode.Combine(Topic, Group, Ref);

    public override string ToString() => $"Subscribe<topic:{Topic}, group:{Group}, ref:{Ref}>";
}
