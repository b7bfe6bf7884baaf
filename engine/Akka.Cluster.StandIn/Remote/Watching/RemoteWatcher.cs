using Akka.Actor;

namespace Akka.Remote.Watching;

/// <summary>
/// Notices when a node is gone on which actors are watched from here, by heartbeats of its own. Members of the cluster
/// are left to the cluster's membership, which tells when one is removed (<see cref="LeaveToCluster"/>).
/// </summary>
internal sealed class RemoteWatcher : UntypedActor
{
    public const string Name = "remote-watcher";

    private readonly Remoting _remoting;
    private readonly DetectorRegistry<Address> _detectors;
    private readonly HashSet<Address> _members = [];
    private readonly SortedDictionary<Address, int?> _asked = new(Address.Comparer);
    private readonly TimeSpan _interval;
    private readonly TimeSpan _expectedAfter;
    private ICancelable? _ticks;

    public RemoteWatcher(Remoting remoting)
    {
        _remoting = remoting;
        var config = remoting.Settings.WatchDetector;
        _detectors = new DetectorRegistry<Address>(PhiAccrualDetector.Options.From(config));
        _interval = config.GetTimeSpan("heartbeat-interval");
        _expectedAfter = config.GetTimeSpan("expected-response-after");
    }

    /// <summary>Is this node a member? Then its failures are the cluster's business.</summary>
    internal sealed record LeaveToCluster(Address Node, bool IsMember);

    private sealed record Tick;

    private sealed record ExpectFirst(Address Node);

    protected override void PreStart()
        => _ticks = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(_interval, _interval, Self, new Tick(), ActorRefs.NoSender);

    protected override void PostStop() => _ticks?.Cancel();

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Tick:
                OnTick();
                break;
            case WatchHeartbeat:
                Sender.Tell(new WatchHeartbeatAnswer(_remoting.Self.Uid));
                break;
            case WatchHeartbeatAnswer answer when _asked.ContainsKey(Sender.Path.Address):
                _asked[Sender.Path.Address] = answer.Uid;
                _detectors.Heartbeat(Sender.Path.Address, _remoting.Now);
                break;
            case ExpectFirst expect when _asked.ContainsKey(expect.Node) && !_detectors.IsMonitoring(expect.Node):
                _detectors.Heartbeat(expect.Node, _remoting.Now);
                break;
            case LeaveToCluster { IsMember: true } leave:
                _members.Add(leave.Node);
                break;
            case LeaveToCluster leave:
                _members.Remove(leave.Node);
                break;
        }
    }

    private void OnTick()
    {
        var wanted = _remoting.Watches.Nodes.Where(node => !_members.Contains(node)).ToList();
        foreach (var forgotten in _asked.Keys.Except(wanted).ToList())
            Forget(forgotten);
        foreach (var node in wanted)
        {
            if (!_detectors.IsAvailable(node, _remoting.Now))
                GiveUp(node);
            else
                Ask(node);
        }
    }

    private void Ask(Address node)
    {
        if (_asked.TryAdd(node, null))
            Context.System.Scheduler.ScheduleTellOnce(_expectedAfter, Self, new ExpectFirst(node), ActorRefs.NoSender);
        _remoting.Provider.ResolveActorRef(new RootActorPath(node) / "system" / Name).Tell(WatchHeartbeat.Instance, Self);
    }

    private void GiveUp(Address node)
    {
        var uid = _asked[node] ?? _remoting.AssociationWith(node).Uid;
        _remoting.Log.Warning("{0} does not answer; who watches an actor there is told that it terminated", node);
        Forget(node);
        _remoting.Quarantine(node, uid);
    }

    private void Forget(Address node)
    {
        _asked.Remove(node);
        _detectors.Remove(node);
    }
}
