using Akka.Actor;
using Akka.TestKit.Internal;
using Akka.Util;

namespace Akka.TestKit;

/// <content>What a test has its test actor do, and the end of the system.</content>
public abstract partial class TestKitBase
{
    private static readonly TimeSpan DefaultShutdownTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxShutdownTimeout = TimeSpan.FromSeconds(10);

    /// <summary>From now on drops messages that <paramref name="shouldIgnoreMessage"/> accepts.</summary>
    public void IgnoreMessages(Func<object, bool> shouldIgnoreMessage) =>
        TestActor.Tell(new TestActor.SetIgnore(shouldIgnoreMessage), ActorRefs.NoSender);

    /// <summary>From now on drops messages of a type that <paramref name="shouldIgnoreMessage"/> accepts.</summary>
    public void IgnoreMessages<TMsg>(Func<TMsg, bool> shouldIgnoreMessage) =>
        IgnoreMessages(m => m is TMsg message && shouldIgnoreMessage(message));

    /// <summary>From now on drops messages of a type.</summary>
    public void IgnoreMessages<TMsg>() => IgnoreMessages(m => m is TMsg);

    /// <summary>Ends <see cref="IgnoreMessages(Func{object,bool})"/>.</summary>
    public void IgnoreNoMessages() => TestActor.Tell(new TestActor.SetIgnore(null), ActorRefs.NoSender);

    /// <summary>Has the test actor watch an actor: <see cref="Terminated"/> arrives when it dies.</summary>
    /// <returns><paramref name="actorToWatch"/>.</returns>
    public IActorRef Watch(IActorRef actorToWatch)
    {
        TestActor.Tell(new TestActor.Watch(actorToWatch), ActorRefs.NoSender);
        return actorToWatch;
    }

    /// <summary>Has the test actor watch an actor no more.</summary>
    /// <returns><paramref name="actorToUnwatch"/>.</returns>
    public IActorRef Unwatch(IActorRef actorToUnwatch)
    {
        TestActor.Tell(new TestActor.Unwatch(actorToUnwatch), ActorRefs.NoSender);
        return actorToUnwatch;
    }

    /// <summary>Has <paramref name="pilot"/> answer messages as they arrive; the test still gets to see them.</summary>
    public void SetAutoPilot(AutoPilot pilot) => TestActor.Tell(new TestActor.SetAutoPilot(pilot), ActorRefs.NoSender);

    /// <summary>Starts a child of the test actor.</summary>
    public IActorRef ChildActorOf(Props props, string name, SupervisorStrategy supervisorStrategy) =>
        Spawn(props, new Option<string>(name), new Option<SupervisorStrategy>(supervisorStrategy));

    /// <summary>Starts a child of the test actor under a name of Akka's choice.</summary>
    public IActorRef ChildActorOf(Props props, SupervisorStrategy supervisorStrategy) =>
        Spawn(props, Option<string>.None, new Option<SupervisorStrategy>(supervisorStrategy));

    /// <summary>Starts a child of the test actor that is stopped when it fails.</summary>
    public IActorRef ChildActorOf(Props props, string name) =>
        Spawn(props, new Option<string>(name), Option<SupervisorStrategy>.None);

    /// <summary>Starts a child of the test actor, under a name of Akka's choice, that is stopped when it fails.</summary>
    public IActorRef ChildActorOf(Props props) =>
        Spawn(props, Option<string>.None, Option<SupervisorStrategy>.None);

    /// <summary>Terminates <see cref="Sys"/> and waits for it.</summary>
    /// <param name="duration">Longest wait; by default five seconds, dilated, at most ten.</param>
    /// <param name="verifySystemShutdown">Whether a system that outlives the wait throws; otherwise it is logged.</param>
    /// <exception cref="TimeoutException">The system outlived the wait.</exception>
    public virtual void Shutdown(TimeSpan? duration = null, bool verifySystemShutdown = false) =>
        Shutdown(_testState.System, duration, verifySystemShutdown);

    /// <summary>Terminates <paramref name="system"/> and waits for it.</summary>
    /// <param name="system">The system to end.</param>
    /// <param name="duration">Longest wait; by default five seconds, dilated, at most ten.</param>
    /// <param name="verifySystemShutdown">Whether a system that outlives the wait throws; otherwise it is logged.</param>
    /// <exception cref="TimeoutException">The system outlived the wait.</exception>
    protected virtual void Shutdown(ActorSystem system, TimeSpan? duration = null, bool verifySystemShutdown = false)
    {
        system ??= _testState.System;
        var timeout = duration ?? Dilated(DefaultShutdownTimeout).Min(MaxShutdownTimeout);
        if (system.Terminate().Wait(timeout))
            return;
        var text = $"The actor system [{system.Name}] did not terminate within {Describe.Time(timeout)}.";
        if (verifySystemShutdown)
            throw new TimeoutException(text);
        system.Log.Warning("{0}", text);
    }

    private IActorRef Spawn(Props props, Option<string> name, Option<SupervisorStrategy> supervisorStrategy)
    {
        TestActor.Tell(new TestActor.Spawn(props, name, supervisorStrategy), ActorRefs.NoSender);
        return ExpectMsg<IActorRef>();
    }
}
