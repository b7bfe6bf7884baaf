using Akka.Actor;
using Akka.Event;
using static Akka.Cluster.ClusterEvent;

namespace Akka.Cluster.SBR;

/// <summary>Watches the cluster's state and downs one side of a partition; the decision is <see cref="SplitBrainCore"/>'s.</summary>
internal sealed class SplitBrainResolverActor : UntypedActor
{
    private readonly SplitBrainCore _core;
    private readonly TimeSpan _interval;
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private ICancelable? _ticks;

    public SplitBrainResolverActor(SplitBrainSettings settings)
    {
        _core = new SplitBrainCore(settings.Strategy(), settings.StableAfter, settings.DownAllWhenUnstable);
        _interval = settings.StableAfter < TimeSpan.FromSeconds(4) ? settings.StableAfter / 4 : TimeSpan.FromSeconds(1);
    }

    private sealed record Tick;

    protected override void PreStart()
        => _ticks = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(_interval, _interval, Self, new Tick(), ActorRefs.NoSender);

    protected override void PostStop() => _ticks?.Cancel();

    protected override void OnReceive(object message)
    {
        if (message is not Tick || _cluster.IsTerminated)
            return;
        var state = _cluster.State;
        if (!state.Members.Any(member => member.UniqueAddress == _cluster.SelfUniqueAddress))
            return;
        var now = Context.System.Scheduler.MonotonicClock;
        var view = SplitBrainView.From(state, _cluster.SelfUniqueAddress);
        _core.OnView(view, now);
        if (_core.Tick(now) is { } decision)
            Act(decision, state, view);
    }

    private void Act(Decision decision, CurrentClusterState state, SplitBrainView view)
    {
        // The side that stays lets its leader act alone; of the side that goes each node sees to itself, leader or not.
        if (decision == Decision.DownUnreachable && state.Leader != _cluster.SelfAddress)
            return;
        _log.Warning("Split brain resolver: {0} of {1} members are unreachable; {2}", view.Unreachable.Count, view.Members.Count, decision);
        if (decision is Decision.DownUnreachable or Decision.DownAll)
        {
            foreach (var node in view.Unreachable)
                _cluster.Down(node.Address);
        }
        if (decision is Decision.DownReachable or Decision.DownAll)
            _cluster.Down(_cluster.SelfAddress);
    }
}
