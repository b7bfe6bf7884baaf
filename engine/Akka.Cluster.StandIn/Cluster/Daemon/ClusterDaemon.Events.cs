using Akka.Cluster.Membership;
using Akka.Remote.Watching;
using static Akka.Cluster.ClusterEvent;
using static Akka.Cluster.Daemon.ClusterCommands;

namespace Akka.Cluster.Daemon;

// Who is told of what has happened to the cluster, in which order.
internal sealed partial class ClusterDaemon
{
    private void OnSubscribe(Subscribe subscribe)
    {
        Context.Watch(subscribe.Subscriber);
        if (subscribe.Mode == SubscriptionInitialStateMode.InitialStateAsSnapshot)
        {
            subscribe.Subscriber.Tell(GossipDiff.State(_published, _core.Self), Self);
        }
        else
        {
            foreach (var happened in GossipDiff.Events(Gossip.Empty, _published, _core.Self))
                Subscriptions.Tell(subscribe.Subscriber, subscribe.Events, happened, Self);
        }
        _subscriptions.Add(subscribe.Subscriber, subscribe.Events);
    }

    // What every message ends with: the state is shown, its change is told, the outbox is sent.
    private void Settle()
    {
        var before = _published;
        var after = _core.Latest;
        if (!ReferenceEquals(before, after))
        {
            _published = after;
            _cluster.State = GossipDiff.State(after, _core.Self);
            foreach (var happened in GossipDiff.Events(before, after, _core.Self))
                Publish(happened);
        }
        var ends = _core.SelfStatus is MemberStatus.Down or MemberStatus.Exiting;
        if (ends)
            _core.ConfirmEnd();
        foreach (var (to, message) in _core.TakeOutbox())
            Deliver(to, message);
        if (ends)
            End();
    }

    private void Publish(IClusterDomainEvent happened)
    {
        if (_cluster.Settings.LogInfo && happened is IMemberEvent or ReachabilityEvent or LeaderChanged)
            _log.Info("Cluster Node [{0}] - {1}", _cluster.SelfAddress, happened);
        switch (happened)
        {
            case MemberJoined joined:
                _cluster.TellWatcher(new RemoteWatcher.LeaveToCluster(joined.Member.Address, IsMember: true));
                break;
            case MemberUp up:
                _cluster.TellWatcher(new RemoteWatcher.LeaveToCluster(up.Member.Address, IsMember: true));
                if (up.Member.UniqueAddress == _core.Self)
                    Run(_onUp);
                break;
            case MemberRemoved removed:
                Forget(removed);
                break;
        }
        _subscriptions.Publish(happened, Self);
    }

    private void Forget(MemberRemoved removed)
    {
        var node = removed.Member.UniqueAddress;
        _daemons.Remove(node.Address);
        if (_core.Latest.Find(node.Address) is null)
            _cluster.TellWatcher(new RemoteWatcher.LeaveToCluster(node.Address, IsMember: false));
        // A node that left in order may still say goodbye; one that was downed is never to be heard again.
        _cluster.Forget(node, quarantine: removed.PreviousStatus == MemberStatus.Down);
    }

    private void Run(List<Action> callbacks)
    {
        var due = callbacks.ToList();
        callbacks.Clear();
        foreach (var callback in due)
        {
            try
            {
                callback();
            }
            catch (Exception trouble)
            {
                _log.Error(trouble, "A callback on a change of this member failed");
            }
        }
    }
}
