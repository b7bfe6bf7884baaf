using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// What the actors of a node need of a cluster, and nothing else. Akka.Cluster is behind it in a process, an adversarial model in
/// the simulator; one suite of tests holds both to what is promised here.
/// </summary>
/// <remarks>
/// <para>
/// Messages between nodes are delivered at most once. What is told keeps its order for each pair of sending and receiving node, and
/// what is published for each publishing node and topic; between the two, and between topics, there is no order. A message to a
/// node that is gone, or whose connection is broken, is lost without a word. Views of the membership lag behind and differ
/// between nodes.
/// </para>
/// <para>All methods may be called on any thread, return at once, and never throw because of what another node does.</para>
/// </remarks>
public interface IMembership
{
    /// <summary>This incarnation of this node.</summary>
    NodeId Self { get; }

    /// <summary>Begins to join: the first seed that answers lets this node in. Asks until one does. A node joins once.</summary>
    /// <param name="seeds">Nodes to ask; none begins a cluster of this node alone.</param>
    void Join(IReadOnlyList<Address> seeds);

    /// <summary>
    /// Begins to leave in order, and ends the node; <see cref="MembershipEnded"/> follows within bounds, also where other members are
    /// away or this node was let in nowhere.
    /// </summary>
    void Leave();

    /// <summary>Gives up a member, or this node itself: its present incarnation never comes back.</summary>
    /// <param name="node">
    /// Which; nothing happens where no member has this address. One that lives is removed once it cannot be heard any more.
    /// </param>
    void Down(Address node);

    /// <summary>
    /// Tells an actor of the members: all that are there now at first, as if each had just changed, then every
    /// <see cref="IMembershipEvent"/>, until this membership ends. One that is over already says so, and nothing else.
    /// </summary>
    /// <param name="listener">Is told; may live in another actor system of this process.</param>
    void Follow(IActorRef listener);

    /// <summary>
    /// Does this very node hear a member? A member is unreachable for all as soon as one other member has lost sight of it, and a
    /// node that has gone deaf loses sight of everybody: who decides by that alone follows the deaf one.
    /// </summary>
    /// <param name="node">The member.</param>
    /// <returns>True for this node itself; null where this node does not listen for that member.</returns>
    bool? Hears(Address node);

    /// <summary>Sends a message to an actor that another node, or this one, has under /user.</summary>
    /// <param name="node">The node; need not be a member. While it is gone, a message may reach the next process at its address.</param>
    /// <param name="actor">The actor's name.</param>
    /// <param name="message">The message.</param>
    /// <param name="sender">Who gets answers.</param>
    void Tell(Address node, string actor, INodeMessage message, IActorRef sender);

    /// <summary>
    /// Has an actor told what is published on a topic from now on. Other nodes hear of the subscription late: what they publish
    /// before is not delivered.
    /// </summary>
    void Subscribe(string topic, IActorRef subscriber);

    /// <summary>Ends <see cref="Subscribe"/>. What is under way still comes.</summary>
    void Unsubscribe(string topic, IActorRef subscriber);

    /// <summary>Sends a message to all subscribers of a topic that this node knows of; it has no sender that can be answered.</summary>
    void Publish(string topic, INodeMessage message);
}
