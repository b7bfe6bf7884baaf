using Akka.Actor;
using Userfault.Actors;
using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <content>Messages between actors of nodes, and topics.</content>
internal sealed partial class SimMembership
{
    /// <summary>Bytes that a message costs in addition to its content.</summary>
    private const int HeaderBytes = 128;

    private readonly NodeMessageSerializer _serializer;
    private readonly SortedDictionary<string, List<IActorRef>> _subscribers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<NodeId, string[]> _topicsOf = new(Comparer<NodeId>.Create(Order));
    private readonly Dictionary<Address, NodeLink> _links = [];

    /// <inheritdoc/>
    public void Tell(Address node, string actor, INodeMessage message, IActorRef sender) =>
        Send(node, $"/user/{actor}", message, sender);

    /// <inheritdoc/>
    public void Subscribe(string topic, IActorRef subscriber)
    {
        if (!_subscribers.TryGetValue(topic, out var all))
            _subscribers.Add(topic, all = []);
        if (!all.Contains(subscriber))
            all.Add(subscriber);
    }

    /// <inheritdoc/>
    public void Unsubscribe(string topic, IActorRef subscriber)
    {
        if (!_subscribers.TryGetValue(topic, out var all))
            return;
        all.Remove(subscriber);
        if (all.Count == 0)
            _subscribers.Remove(topic);
    }

    /// <inheritdoc/>
    public void Publish(string topic, INodeMessage message)
    {
        if (!IsAlive || IsOver)
            return;
        Deliver(topic, message);
        foreach (var (node, topics) in _topicsOf)
        {
            if (topics.Contains(topic))
                Send(node.Address, message, (other, received) => other.Deliver(topic, received));
        }
    }

    /// <summary>Sends a message to an actor of a node, by its path.</summary>
    internal void Send(Address node, string path, object message, IActorRef sender)
    {
        if (!IsAlive || IsOver)
            return;
        if (node.Equals(Self.Address))
        {
            _system.ActorSelection(path).Tell(message, sender);
            return;
        }

        var from = sender.IsNobody()
            ? null
            : new Sender(sender.Path.Address, $"/{string.Join('/', sender.Path.Elements)}");
        Send(
            node,
            message,
            (other, received) => other._system.ActorSelection(path).Tell(received, other.RefOf(from, Self.Address))
        );
    }

    private void Send(Address node, object message, Action<SimMembership, object> arrived)
    {
        // As on a real node: the receiver gets a copy, decoded from the message's bytes.
        var (manifest, bytes) = (_serializer.Manifest(message), _serializer.ToBinary(message));
        if (!_links.TryGetValue(node, out var link))
            _links.Add(node, link = _net.LinkOf(_host, node));
        link.Send(
            bytes.Length + HeaderBytes,
            () =>
            {
                if (_net.Find(node) is { } other)
                    other.Receive(Self, () => arrived(other, other._serializer.FromBinary(bytes, manifest)));
            }
        );
    }

    private void Deliver(string topic, object message)
    {
        if (!_subscribers.TryGetValue(topic, out var all))
            return;
        foreach (var subscriber in all.ToArray())
            subscriber.Tell(message, ActorRefs.NoSender);
    }

    private void TellTopics()
    {
        if (!IsMember)
            return;
        var others = _view
            .Members.Where(m => m.Key != Self && _view.IsReachable(m.Key))
            .Select(static m => m.Key)
            .ToArray();
        if (others.Length > 0 && !_random.Chance(Settings.GossipLoss))
        {
            var topics = _subscribers.Keys.ToArray();
            _net.Send(
                this,
                _random.OneOf(others).Address,
                other =>
                    other.Receive(
                        Self,
                        () =>
                        {
                            if (other.IsMember && other._view.Find(Self) is { IsMember: true })
                                other._topicsOf[Self] = topics;
                        }
                    )
            );
        }

        Every(Settings.TopicsNs, TellTopics);
    }

    private IActorRef? RefOf(Sender? sender, Address from) =>
        sender is null
            ? ActorRefs.NoSender
            : new SimNodeRef(this, sender.Address.HasLocalScope ? from : sender.Address, sender.Path, _system.Provider);

    private sealed record Sender(Address Address, string Path);
}
