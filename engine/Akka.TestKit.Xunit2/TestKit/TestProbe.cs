using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Util;

namespace Akka.TestKit;

/// <summary>A test kit of its own that stands in for an actor: it can be told, watched and passed around as one.</summary>
#pragma warning disable CA1036 // order of actor references is Akka's affair
public class TestProbe : TestKitBase, INoImplicitSender, IInternalActorRef
#pragma warning restore CA1036
{
    /// <summary>Starts a probe in <paramref name="system"/>.</summary>
    public TestProbe(ActorSystem system, ITestKitAssertions assertions, string? testProbeName = null)
        : base(assertions, system, testProbeName)
    {
    }

    /// <summary>The probe's actor.</summary>
    public IActorRef Ref => TestActor;

#nullable disable annotations // the official kit says nothing about null here: there may be none yet
    /// <summary>Who sent the message taken last.</summary>
    public IActorRef Sender => LastSender;
#nullable restore annotations

    ActorPath IActorRef.Path => TestActor.Path;

    bool IActorRefScope.IsLocal => Internal.IsLocal;

    IInternalActorRef IInternalActorRef.Parent => Internal.Parent;

    IActorRefProvider IInternalActorRef.Provider => Internal.Provider;

#pragma warning disable CS0618 // obsolete, and still a member of the interface
    bool IInternalActorRef.IsTerminated => Internal.IsTerminated;
#pragma warning restore CS0618

    private IInternalActorRef Internal => (IInternalActorRef)TestActor;

    /// <summary>Tells <paramref name="actor"/> with the probe as the sender.</summary>
    public void Send(IActorRef actor, object message) => actor.Tell(message, TestActor);

    /// <summary>Tells <paramref name="actor"/> in the name of who sent the message taken last.</summary>
    public void Forward(IActorRef actor, object message) => actor.Tell(message, Sender);

    /// <summary>Passes the message taken last on, in the name of who sent it.</summary>
    public void Forward(IActorRef actor) => actor.Tell(LastMessage, Sender);

    /// <summary>Tells who sent the message taken last, with the probe as the sender.</summary>
    public void Reply(object message) => Sender.Tell(message, TestActor);

    /// <summary>Not to be had: probes come from a test kit.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
#pragma warning disable CS0809 // so that a call is an error at compile time
    [Obsolete("Cannot create a TestProbe from a TestProbe", true)]
    public override TestProbe CreateTestProbe(string? name = null) =>
        throw new NotSupportedException("Cannot create a TestProbe from a TestProbe");
#pragma warning restore CS0809

    /// <summary>Starts a child of the probe.</summary>
    public IActorRef ChildActorOf<T>(string name, SupervisorStrategy supervisorStrategy)
        where T : ActorBase => ChildActorOf(Props.Create<T>(), name, supervisorStrategy);

    /// <summary>Starts a child of the probe under a name of Akka's choice.</summary>
    public IActorRef ChildActorOf<T>(SupervisorStrategy supervisorStrategy)
        where T : ActorBase => ChildActorOf(Props.Create<T>(), supervisorStrategy);

    /// <summary>Starts a child of the probe that is stopped when it fails.</summary>
    public IActorRef ChildActorOf<T>(string name)
        where T : ActorBase => ChildActorOf(Props.Create<T>(), name);

    /// <summary>Starts a child of the probe, under a name of Akka's choice, that is stopped when it fails.</summary>
    public IActorRef ChildActorOf<T>()
        where T : ActorBase => ChildActorOf(Props.Create<T>());

    /// <summary>Hands the probe's actor a system message.</summary>
    public void SendSystemMessage(ISystemMessage message) => Internal.SendSystemMessage(message);

    /// <summary>Hands the probe's actor a system message; a system message has no sender.</summary>
    public void SendSystemMessage(ISystemMessage message, IActorRef sender) => SendSystemMessage(message);

    /// <inheritdoc/>
    public int CompareTo(object? obj) => TestActor.CompareTo(obj);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => TestActor.Equals(obj);

    /// <inheritdoc/>
    public override int GetHashCode() => TestActor.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"TestProbe({TestActor})";

    int IComparable<IActorRef>.CompareTo(IActorRef? other) => TestActor.CompareTo(other);

    bool IEquatable<IActorRef>.Equals(IActorRef? other) => TestActor.Equals(other);

    void ICanTell.Tell(object message, IActorRef sender) => TestActor.Tell(message, sender);

    ISurrogate ISurrogated.ToSurrogate(ActorSystem system) => TestActor.ToSurrogate(system);

    IActorRef IInternalActorRef.GetChild(IReadOnlyList<string> name) => Internal.GetChild(name);

    void IInternalActorRef.Resume(Exception? causedByFailure) => Internal.Resume(causedByFailure);

    void IInternalActorRef.Start() => Internal.Start();

    void IInternalActorRef.Stop() => Internal.Stop();

    void IInternalActorRef.Restart(Exception cause) => Internal.Restart(cause);

    void IInternalActorRef.Suspend() => Internal.Suspend();
}
