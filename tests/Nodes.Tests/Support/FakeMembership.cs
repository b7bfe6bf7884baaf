using System.Collections.Concurrent;
using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Nodes.Tests;

/// <summary>
/// A membership without a cluster. The test decides what followers are told, and inspects the calls.
/// </summary>
internal sealed class FakeMembership(Address self) : IMembership
{
    private readonly List<IActorRef> _followers = [];

    public NodeId Self { get; } = new(self, 1);

    public bool HasFollower => _followers.Count > 0;

    public List<Address> Downed { get; } = [];

    public BlockingCollection<(string Topic, INodeMessage Message)> Published { get; } = [];

    public void Say(IMembershipEvent said) => _followers.ForEach(f => f.Tell(said, ActorRefs.NoSender));

    public void Down(Address node) => Downed.Add(node);

    public void Follow(IActorRef listener) => _followers.Add(listener);

    public void Publish(string topic, INodeMessage message) => Published.Add((topic, message));

    public void Join(IReadOnlyList<Address> seeds) => throw new NotSupportedException();

    public void Leave() => throw new NotSupportedException();

    /// <summary>Members that this node hears, or does not; all others are as the events say.</summary>
    public Dictionary<Address, bool> Heard { get; } = [];

    public bool? Hears(Address node) => node.Equals(Self.Address) ? true : Heard.TryGetValue(node, out var hears) ? hears : null;

    public void Tell(Address node, string actor, INodeMessage message, IActorRef sender) => throw new NotSupportedException();

    public void Subscribe(string topic, IActorRef subscriber) => throw new NotSupportedException();

    public void Unsubscribe(string topic, IActorRef subscriber) => throw new NotSupportedException();
}
