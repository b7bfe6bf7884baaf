using Akka.Actor;
using Akka.Actor.Internal;

namespace Akka.TestKit;

/// <summary>
/// Carries the implicit sender across an <c>await</c> of a test: Akka keeps the running actor's cell in a thread
/// static, and what follows the await may run on any thread of the pool.
/// </summary>
internal sealed class ActorCellKeepingSynchronizationContext : SynchronizationContext
{
    private readonly ActorCell? _cell;

    public ActorCellKeepingSynchronizationContext(ActorCell? cell) => _cell = cell;

    public override void Post(SendOrPostCallback d, object? state) =>
        ThreadPool.QueueUserWorkItem(_ => RunInContext(d, state), null);

    public override void Send(SendOrPostCallback d, object? state) => RunInContext(d, state);

    public override SynchronizationContext CreateCopy() => new ActorCellKeepingSynchronizationContext(_cell);

    private void RunInContext(SendOrPostCallback d, object? state)
    {
        var outerCell = InternalCurrentActorCellKeeper.Current;
        var outerContext = Current;
        SetSynchronizationContext(this);
        InternalCurrentActorCellKeeper.Current = _cell;
        try
        {
            d(state);
        }
        finally
        {
            InternalCurrentActorCellKeeper.Current = outerCell;
            SetSynchronizationContext(outerContext);
        }
    }
}
