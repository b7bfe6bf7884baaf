using Akka.Actor;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>To one of the actors that were put under a path; with affinity to the one on this node, if there is one.</summary>
public sealed class Send(string path, object message, bool localAffinity = false)
    : IDistributedPubSubMessage, IWrappedMessage, IEquatable<Send>
{
    public string Path { get; } = path;

    public object Message { get; } = message;

    public bool LocalAffinity { get; } = localAffinity;

    public bool Equals(Send? other)
        => other is not null && Path == other.Path && Equals(Message, other.Message) && LocalAffinity == other.LocalAffinity;

    public override bool Equals(object? obj) => Equals(obj as Send);

    public override int GetHashCode() => HashCode.Combine(Path, Message);

    public override string ToString() => $"Send<path:{Path}, localAffinity:{LocalAffinity}, message:{Message}>";
}
