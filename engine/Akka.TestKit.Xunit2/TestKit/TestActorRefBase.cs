using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.TestKit.Internal;
using Akka.Util;

namespace Akka.TestKit;

/// <summary>A reference to an actor that a test can look at; it behaves as any other reference.</summary>
/// <typeparam name="TActor">The actor's type.</typeparam>
#pragma warning disable CA1036 // order of actor references is Akka's affair
public abstract class TestActorRefBase<TActor> : ICanTell, IEquatable<IActorRef>, IInternalActorRef
#pragma warning restore CA1036
    where TActor : ActorBase
{
    /// <summary>Starts an actor below <paramref name="supervisor"/>, or below the user guardian.</summary>
    protected TestActorRefBase(
        ActorSystem system, Props actorProps, IActorRef? supervisor = null, string? name = null) =>
        InternalRef = InternalTestActorRef.Create(system, actorProps, supervisor, name);

    /// <summary>The plain reference.</summary>
    public IActorRef Ref => InternalRef;

    /// <summary>The actor as it is now: a restart replaces it.</summary>
    /// <exception cref="IllegalActorStateException">It has been stopped.</exception>
    public TActor UnderlyingActor => (TActor)InternalRef.UnderlyingActor;

    /// <summary>The actor's path.</summary>
    public ActorPath Path => InternalRef.Path;

    bool IActorRefScope.IsLocal => InternalRef.IsLocal;

    IInternalActorRef IInternalActorRef.Parent => InternalRef.Parent;

    IActorRefProvider IInternalActorRef.Provider => InternalRef.Provider;

#pragma warning disable CS0618 // obsolete, and still a member of the interface
    bool IInternalActorRef.IsTerminated => InternalRef.IsTerminated;
#pragma warning restore CS0618

    /// <summary>The reference behind this one.</summary>
    protected InternalTestActorRef InternalRef { get; }

    /// <summary>Whether both refer to the same actor.</summary>
    public static bool operator ==(TestActorRefBase<TActor>? testActorRef, IActorRef? actorRef) =>
        testActorRef is null ? actorRef is null : testActorRef.Equals(actorRef);

    /// <summary>Whether both refer to different actors.</summary>
    public static bool operator !=(TestActorRefBase<TActor>? testActorRef, IActorRef? actorRef) =>
        !(testActorRef == actorRef);

    /// <summary>Whether both refer to the same actor.</summary>
    public static bool operator ==(IActorRef? actorRef, TestActorRefBase<TActor>? testActorRef) =>
        testActorRef == actorRef;

    /// <summary>Whether both refer to different actors.</summary>
    public static bool operator !=(IActorRef? actorRef, TestActorRefBase<TActor>? testActorRef) =>
        !(testActorRef == actorRef);

    /// <summary>The plain reference.</summary>
#pragma warning disable CA1000 // the official kit has it here
    public static IActorRef ToActorRef(TestActorRefBase<TActor> actorRef) => actorRef.InternalRef;
#pragma warning restore CA1000

    /// <summary>Has the actor process a message on this thread; what it throws comes to the caller.</summary>
    public void Receive(object message, IActorRef? sender = null) => InternalRef.Receive(message, sender);

    /// <summary>Tells the actor, in the name of the test actor or of the actor that is running.</summary>
    public void Tell(object message) => InternalRef.Tell(message);

    /// <summary>Tells the actor in the name of <paramref name="sender"/>.</summary>
    public void Tell(object message, IActorRef sender) => InternalRef.Tell(message, sender);

    /// <summary>Passes a message on, in the name of who sent the running actor its message.</summary>
    public void Forward(object message) => InternalRef.Forward(message);

    /// <summary>Has the actor watch another.</summary>
    public void Watch(IActorRef subject) => InternalRef.Watch(subject);

    /// <summary>Has the actor watch another no more.</summary>
    public void Unwatch(IActorRef subject) => InternalRef.Unwatch(subject);

    /// <summary>Hands the actor a system message.</summary>
    public void SendSystemMessage(ISystemMessage message) => InternalRef.SendSystemMessage(message);

    /// <summary>Hands the actor a system message; a system message has no sender.</summary>
    public void SendSystemMessage(ISystemMessage message, IActorRef sender) => SendSystemMessage(message);

    /// <inheritdoc/>
    public int CompareTo(object? obj) => ((IComparable)InternalRef).CompareTo(obj);

    /// <inheritdoc/>
    public bool Equals(IActorRef? other) => InternalRef.Equals(other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => InternalRef.Equals(obj);

    /// <inheritdoc/>
    public override int GetHashCode() => InternalRef.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => InternalRef.ToString();

    int IComparable<IActorRef>.CompareTo(IActorRef? other) => InternalRef.CompareTo(other);

    ISurrogate ISurrogated.ToSurrogate(ActorSystem system) => InternalRef.ToSurrogate(system);

    IActorRef IInternalActorRef.GetChild(IReadOnlyList<string> name) => InternalRef.GetChild(name);

    void IInternalActorRef.Resume(Exception? causedByFailure) => InternalRef.Resume(causedByFailure);

    void IInternalActorRef.Start() => InternalRef.Start();

    void IInternalActorRef.Stop() => InternalRef.Stop();

    void IInternalActorRef.Restart(Exception cause) => InternalRef.Restart(cause);

    void IInternalActorRef.Suspend() => InternalRef.Suspend();
}
