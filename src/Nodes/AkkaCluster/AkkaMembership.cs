using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.Remote;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// The membership of a node whose actor system is part of an Akka.Cluster, with DistributedPubSub for topics.
/// </summary>
/// <param name="system">The node's actor system; its configuration is a <see cref="NodeSystem"/>'s.</param>
/// <param name="cluster">Its cluster extension.</param>
/// <param name="outside">Opens an actor system that joins no cluster; null if this node sends nothing to nodes that are
/// not members.</param>
/// <param name="leaves">Called before this node leaves; null for nothing.</param>
internal sealed class AkkaMembership(
    ActorSystem system,
    Akka.Cluster.Cluster cluster,
    Func<NodeSystem>? outside = null,
    Action? leaves = null
) : IMembership
{
    private readonly ConcurrentDictionary<Address, bool> _refused = new();
    private IActorRef _quarantine = ActorRefs.Nobody;

    /// <inheritdoc/>
    public NodeId Self { get; } = IdOf(cluster.SelfUniqueAddress);

    // Resolved on use: the extension needs the cluster, which may still be starting.
    private IActorRef Mediator => DistributedPubSub.Get(system).Mediator;

    /// <inheritdoc/>
    public void Join(IReadOnlyList<Address> seeds)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        if (seeds.Count == 0)
            cluster.Join(Self.Address);
        else
            cluster.JoinSeedNodes(seeds);
    }

    /// <inheritdoc/>
    // Not Cluster.Leave: it waits forever while no leader can act, and does nothing for a node that has not been
    // admitted yet. Coordinated shutdown leaves in order too, but each of its phases has a timeout, so that the
    // membership ends in any case.
    public void Leave()
    {
        leaves?.Invoke();
        CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClusterLeavingReason.Instance);
    }

    /// <inheritdoc/>
    public void Down(Address node) => cluster.Down(node);

    /// <inheritdoc/>
    public void Follow(IActorRef listener)
    {
        try
        {
            system.ActorOf(FollowActor.Props(cluster, listener));
        }
        catch (InvalidOperationException)
        {
            // The actor system is terminating and starts no more actors.
            listener.Tell(MembershipEnded.Instance, ActorRefs.NoSender);
        }
    }

    /// <inheritdoc/>
    public bool? Hears(Address node)
    {
        if (node.Equals(Self.Address))
            return true;
        return cluster.FailureDetector.IsMonitoring(node) ? cluster.FailureDetector.IsAvailable(node) : null;
    }

    /// <inheritdoc/>
    public void Tell(Address node, string actor, INodeMessage message, IActorRef sender)
    {
        if (_refused.ContainsKey(node))
        {
            _quarantine.Tell(new QuarantineActor.Say(node, actor, message, sender), ActorRefs.NoSender);
            return;
        }

        try
        {
            system.ActorSelection(new RootActorPath(node) / "user" / actor).Tell(message, sender);
        }
        catch (RemoteTransportException)
        {
            // No transport of this node speaks the protocol of that address: only one of the two nodes uses TLS.
            system.DeadLetters.Tell(message, sender);
        }
    }

    /// <inheritdoc/>
    public void Subscribe(string topic, IActorRef subscriber) =>
        Mediator.Tell(new Subscribe(topic, subscriber), ActorRefs.NoSender);

    /// <inheritdoc/>
    public void Unsubscribe(string topic, IActorRef subscriber) =>
        Mediator.Tell(new Unsubscribe(topic, subscriber), ActorRefs.NoSender);

    /// <inheritdoc/>
    public void Publish(string topic, INodeMessage message) =>
        Mediator.Tell(new Publish(topic, message), ActorRefs.NoSender);

    /// <summary>Starts to handle quarantine, see <see cref="QuarantineActor"/>.</summary>
    public AkkaMembership Start()
    {
        if (outside is not null)
            _quarantine = system.ActorOf(QuarantineActor.Props(cluster, _refused, outside), QuarantineActor.Name);
        return this;
    }

    internal static NodeId IdOf(UniqueAddress node) => new(node.Address, node.Uid);
}
