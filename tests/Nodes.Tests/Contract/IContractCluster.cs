using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>
/// Named nodes on which <see cref="MembershipContract"/> tries an <see cref="IMembership"/>. Each has a <see cref="RecorderActor"/>
/// under /user/<see cref="RecorderActor.Name"/>, and a follower of its membership, named <see cref="FirstFollower"/>, that it
/// was given before it could join.
/// </summary>
/// <remarks>
/// One thread uses it. A method returns when the node has done it, which says nothing of other nodes, and fails the test where
/// the membership threw. What a node's recorder and followers were told is kept per incarnation, also after its end.
/// </remarks>
public interface IContractCluster : IDisposable
{
    /// <summary>Name of the follower that a node has from its start.</summary>
    const string FirstFollower = "first";

    /// <summary>Can nodes stand still here? <see cref="Freeze"/> and <see cref="Thaw"/> are not called where they cannot.</summary>
    bool CanFreeze { get; }

    /// <summary>Opens a node, which listens and is no member. After its end: again, under the same address, as another incarnation.</summary>
    NodeId Start(string name);

    /// <summary>The present incarnation of a node; the last one where it has ended.</summary>
    NodeId IdOf(string name);

    /// <summary><see cref="IMembership.Join"/> at named nodes, which have been started, in this order.</summary>
    void Join(string name, params string[] seeds);

    /// <inheritdoc cref="IMembership.Leave"/>
    void Leave(string name);

    /// <summary><see cref="IMembership.Down"/>, asked of a node.</summary>
    void Down(string by, Address node);

    /// <summary>Ends a node with no last word (kill -9).</summary>
    void Kill(string name);

    /// <summary>Stops a node where it is (SIGSTOP): it neither sends nor takes anything, and its connections stay.</summary>
    void Freeze(string name);

    /// <summary>Lets it go on (SIGCONT).</summary>
    void Thaw(string name);

    /// <summary><see cref="IMembership.Follow"/> with another listener, which outlives the membership.</summary>
    void Follow(string name, string follower);

    /// <summary>What a follower at a node has been told, in order.</summary>
    IReadOnlyList<IMembershipEvent> EventsOf(string name, string follower = FirstFollower);

    /// <summary>Tells the recorder at an address numbers that rise by one, with the recorder of a node as their sender.</summary>
    void Tell(string from, Address to, long first, int count = 1);

    /// <summary><see cref="IMembership.Subscribe"/> for a node's recorder.</summary>
    void Subscribe(string name, string topic);

    /// <summary><see cref="IMembership.Unsubscribe"/> for a node's recorder.</summary>
    void Unsubscribe(string name, string topic);

    /// <summary>Publishes numbers that rise by one.</summary>
    void Publish(string name, string topic, long first, int count = 1);

    /// <summary>What a node's recorder has heard, in order.</summary>
    IReadOnlyList<HeardMessage> HeardBy(string name);

    /// <summary>
    /// Lets time pass until a condition holds, which may itself do something each time that it is looked at. False where it did
    /// not for longer than anything here may take.
    /// </summary>
    bool Await(Func<bool> condition);
}
