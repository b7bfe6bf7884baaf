using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// All that the actors of a node need of a cluster. The implementation is Akka.Cluster in a process and an adversarial
/// model in the simulator; one suite of tests holds both to the guarantees stated here.
/// </summary>
/// <remarks>
/// <para>
/// Messages between nodes are delivered at most once. Messages sent by Tell keep their order per pair of sending and
/// receiving node, and published messages per publishing node and topic; between the two, and between topics, there is
/// no order. A message to a node that is gone, or whose connection is broken, is lost silently. Views of the membership
/// lag behind and differ between nodes.
/// </para>
/// <para>
/// All methods may be called on any thread, return at once, and never throw because of what another node does.
/// </para>
/// </remarks>
public interface IMembership
{
    /// <summary>This incarnation of this node.</summary>
    NodeId Self { get; }

    /// <summary>
    /// Starts to join: the first seed that answers admits this node. Retries until one does. A node joins once.
    /// </summary>
    /// <param name="seeds">The nodes to contact; none starts a cluster of this node alone.</param>
    void Join(IReadOnlyList<Address> seeds);

    /// <summary>
    /// Starts to leave in order, and ends the node; <see cref="MembershipEnded"/> follows within bounded time, even if
    /// other members are unreachable or this node was never admitted.
    /// </summary>
    void Leave();

    /// <summary>Downs a member, or this node itself: its present incarnation never returns.</summary>
    /// <param name="node">
    /// The member; ignored if no member has this address. A member that is alive is removed once it has become
    /// unreachable.
    /// </param>
    void Down(Address node);

    /// <summary>
    /// Sends an actor the current members first, as if each had just changed, then every <see cref="IMembershipEvent"/>
    /// until this membership ends. If it has ended already, only that is sent.
    /// </summary>
    /// <param name="listener">The actor; it may live in another actor system of this process.</param>
    void Follow(IActorRef listener);

    /// <summary>
    /// Does this node itself receive heartbeats from a member? A member counts as unreachable in every view as soon as
    /// one other member has lost contact with it, and a node that has become deaf loses contact with everyone: a
    /// decision based on reachability alone would follow the deaf node.
    /// </summary>
    /// <param name="node">The member.</param>
    /// <returns>True for this node itself; null if this node does not monitor that member.</returns>
    bool? Hears(Address node);

    /// <summary>Sends a message to an actor under /user of another node or of this one.</summary>
    /// <param name="node">The node, not necessarily a member. If it is gone, the message may reach the next process at
    /// its address.</param>
    /// <param name="actor">The actor's name.</param>
    /// <param name="message">The message.</param>
    /// <param name="sender">Receives the answers.</param>
    void Tell(Address node, string actor, INodeMessage message, IActorRef sender);

    /// <summary>
    /// Subscribes an actor to a topic. Other nodes learn of the subscription with a delay: messages that they publish
    /// before are not delivered.
    /// </summary>
    void Subscribe(string topic, IActorRef subscriber);

    /// <summary>Ends <see cref="Subscribe"/>. Messages in flight are still delivered.</summary>
    void Unsubscribe(string topic, IActorRef subscriber);

    /// <summary>
    /// Sends a message to all subscribers of a topic that this node knows of. It has no sender that could be answered.
    /// </summary>
    void Publish(string topic, INodeMessage message);
}
