using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Util;

namespace Akka.TestKit;

/// <summary>Supervises each child by a strategy of its own; a child without one is stopped when it fails.</summary>
public class DelegatingSupervisorStrategy : SupervisorStrategy
{
    private readonly Dictionary<IActorRef, SupervisorStrategy> _delegates = new();

    /// <summary>Logs failures: the strategies it delegates to are only asked what to do about them.</summary>
    public DelegatingSupervisorStrategy() => LoggingEnabled = true;

    /// <inheritdoc/>
    public override IDecider Decider => DefaultDecider;

    /// <summary>From now on <paramref name="supervisorStrategy"/> decides about <paramref name="child"/>.</summary>
    public void Update(IActorRef child, SupervisorStrategy supervisorStrategy) => _delegates[child] = supervisorStrategy;

    /// <inheritdoc/>
    public override void ProcessFailure(
        IActorContext context, bool restart, IActorRef child, Exception cause, ChildRestartStats stats,
        IReadOnlyCollection<ChildRestartStats> children) =>
        For(child).ProcessFailure(context, restart, child, cause, stats, children);

    /// <inheritdoc/>
    public override void HandleChildTerminated(
        IActorContext actorContext, IActorRef child, IEnumerable<IInternalActorRef> children) => _delegates.Remove(child);

    /// <inheritdoc/>
    public override ISurrogate ToSurrogate(ActorSystem system) =>
        throw new NotSupportedException("A test actor's supervision does not travel between nodes.");

    /// <inheritdoc/>
    protected override Directive Handle(IActorRef child, Exception exception) => For(child).Decider.Decide(exception);

    private SupervisorStrategy For(IActorRef child) =>
        _delegates.TryGetValue(child, out var strategy) ? strategy : StoppingStrategy;
}
