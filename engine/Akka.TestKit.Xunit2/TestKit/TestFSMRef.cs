using Akka.Actor;
using Akka.Actor.Internal;

namespace Akka.TestKit;

/// <summary>A reference to a state machine that a test can look at and move.</summary>
/// <typeparam name="TActor">The actor's type.</typeparam>
/// <typeparam name="TState">What names its states.</typeparam>
/// <typeparam name="TData">What it keeps with a state.</typeparam>
#pragma warning disable CA1036 // order of actor references is Akka's affair
public class TestFSMRef<TActor, TState, TData> : TestActorRefBase<TActor>
#pragma warning restore CA1036
    where TActor : FSM<TState, TData>
{
    /// <summary>Starts a state machine below <paramref name="supervisor"/>, or below the user guardian.</summary>
    public TestFSMRef(
        ActorSystem system, Props props, IActorRef? supervisor = null, string? name = null, bool activateLogging = false)
        : base(system, props, supervisor, name)
    {
        if (activateLogging)
            Tell(InternalActivateFsmLogging.Instance, this);
    }

    /// <summary>The state it is in.</summary>
    public TState StateName => UnderlyingActor.StateName;

    /// <summary>What it keeps with its state.</summary>
    public TData StateData => UnderlyingActor.StateData;

    private IInternalSupportsTestFSMRef<TState, TData> Machine => UnderlyingActor;

    /// <summary>Moves it as a transition of its own would.</summary>
    public void SetState(TState stateName, TimeSpan? timeout = null) => SetState(stateName, StateData, timeout);

    /// <summary>Moves it as a transition of its own would.</summary>
    public void SetState(TState stateName, TData stateData, TimeSpan? timeout = null, FSMBase.Reason? stopReason = null) =>
        InternalRef.Cell.UseThreadContext(
            () => Machine.ApplyState(new FSMBase.State<TState, TData>(stateName, stateData, timeout, stopReason)));

    /// <summary>Gives it other data in the state it is in.</summary>
    public void SetStateData(TData stateData, TimeSpan? timeout = null) => SetState(StateName, stateData, timeout);

    /// <summary>Gives it another timeout in the state it is in.</summary>
    public void SetStateTimeout(TimeSpan timeout) => SetState(StateName, StateData, timeout);

    /// <summary>Sets a timer of the machine.</summary>
    public void SetTimer(string name, object msg, TimeSpan timeout, bool repeat = false) =>
        InternalRef.Cell.UseThreadContext(() => UnderlyingActor.SetTimer(name, msg, timeout, repeat));

    /// <summary>Ends a timer of the machine.</summary>
    public void CancelTimer(string name) => UnderlyingActor.CancelTimer(name);

    /// <summary>Whether a timer of the machine runs.</summary>
    public bool IsTimerActive(string name) => UnderlyingActor.IsTimerActive(name);

    /// <summary>Whether the timeout of the machine's state runs.</summary>
    public bool IsStateTimerActive() => Machine.IsStateTimerActive;
}
