using Akka.Actor;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>To all actors that were put under a path; without the one on this node, if that is asked.</summary>
public sealed class SendToAll(string path, object message, bool excludeSelf = false)
    : IDistributedPubSubMessage, IWrappedMessage, IEquatable<SendToAll>
{
    public string Path { get; } = path;

    public object Message { get; } = message;

    public bool ExcludeSelf { get; } = excludeSelf;

    public bool Equals(SendToAll? other)
        => other is not null && Path == other.Path && Equals(Message, other.Message) && ExcludeSelf == other.ExcludeSelf;

    public override bool Equals(object? obj) => Equals(obj as SendToAll);

    public override int GetHashCode() => HashCode.Combine(Path, Message);

    public override string ToString() => $"SendToAll<path:{Path}, excludeSelf:{ExcludeSelf}, message:{Message}>";
}
