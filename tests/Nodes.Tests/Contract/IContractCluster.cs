using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>
/// The nodes on which <see cref="MembershipContract"/> tests an implementation of <see cref="IMembership"/>. Each node
/// has a <see cref="RecorderActor"/> under /user/<see cref="RecorderActor.Name"/> and, from its start, a follower of
/// its membership named <see cref="FirstFollower"/>.
/// </summary>
/// <remarks>
/// Used by one thread. A method returns when the node has executed it, which says nothing about other nodes, and fails
/// the test if the membership threw an exception. What a node's recorder and followers have received stays readable
/// after the end of the node, until the node is started again.
/// </remarks>
public interface IContractCluster : IDisposable
{
    /// <summary>The name of the follower that a node has from its start.</summary>
    const string FirstFollower = "first";

    /// <summary>
    /// Can nodes be suspended here? If not, <see cref="Freeze"/> and <see cref="Thaw"/> are not called.
    /// </summary>
    bool CanFreeze { get; }

    /// <summary>
    /// Opens a node that listens and is not yet a member. After the end of a node: starts it again at the same address,
    /// as a new incarnation.
    /// </summary>
    NodeId Start(string name);

    /// <summary>The current incarnation of a node, or the last one if it has ended.</summary>
    NodeId IdOf(string name);

    /// <summary>
    /// <see cref="IMembership.Join"/> with the addresses of these nodes, which have been started, in this order.
    /// </summary>
    void Join(string name, params string[] seeds);

    /// <inheritdoc cref="IMembership.Leave"/>
    void Leave(string name);

    /// <summary><see cref="IMembership.Down"/>, called on the node <paramref name="by"/>.</summary>
    void Down(string by, Address node);

    /// <summary>Kills a node (kill -9).</summary>
    void Kill(string name);

    /// <summary>
    /// Suspends a node (SIGSTOP): it neither sends nor receives anything, and its connections stay open.
    /// </summary>
    void Freeze(string name);

    /// <summary>Resumes a suspended node (SIGCONT).</summary>
    void Thaw(string name);

    /// <summary><see cref="IMembership.Follow"/> with a further listener, which outlives the membership.</summary>
    void Follow(string name, string follower);

    /// <summary>What a follower at a node has received, in order.</summary>
    IReadOnlyList<IMembershipEvent> EventsOf(string name, string follower = FirstFollower);

    /// <summary>
    /// Sends ascending numbers to the recorder at an address, with the recorder of the node <paramref name="from"/> as
    /// sender.
    /// </summary>
    void Tell(string from, Address to, long first, int count = 1);

    /// <summary><see cref="IMembership.Subscribe"/> with a node's recorder.</summary>
    void Subscribe(string name, string topic);

    /// <summary><see cref="IMembership.Unsubscribe"/> with a node's recorder.</summary>
    void Unsubscribe(string name, string topic);

    /// <summary>Publishes ascending numbers.</summary>
    void Publish(string name, string topic, long first, int count = 1);

    /// <summary>What a node's recorder has received, in order.</summary>
    IReadOnlyList<HeardMessage> HeardBy(string name);

    /// <summary>
    /// Lets time pass until a condition holds. The condition is evaluated again and again, and may act each time. False
    /// if it did not hold within a limit that is generous for everything these tests do.
    /// </summary>
    bool Await(Func<bool> condition);
}
