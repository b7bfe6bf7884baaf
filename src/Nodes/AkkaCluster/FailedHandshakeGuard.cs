using Akka;
using Akka.Actor;
using static Akka.Cluster.ClusterEvent;

namespace Userfault.Nodes;

/// <summary>Keeps a node alive when a TLS handshake that it initiated fails.</summary>
/// <remarks>
/// Akka.Remote answers such a failure by shutting down the whole actor system of the node that dialed, as if its own
/// certificate were at fault. Then any process that listens where a node used to be, or a connection that is cut at the
/// wrong moment, would end every member that still tries to reach that node. No setting turns this off. However, it is
/// a run of CoordinatedShutdown, and a run does nothing before the tasks of its first phase have completed. The guard's
/// task is one of them, and if the run was started for this reason, it waits until the node really ends. All phases
/// then follow in order, as they would have without the failure.
/// CoordinatedShutdown runs once: a later shutdown for another reason would find it started already and would wait with
/// it. The guard therefore releases its task when this member is downed, leaves or is removed, and
/// <see cref="NodeSystem.Close"/> releases it before it ends the actor system.
/// </remarks>
internal sealed class FailedHandshakeGuard
{
    // The timeout of a phase cannot be turned off, and the scheduler accepts at most 24 days. A node that is still a
    // member after this time leaves and rejoins, like one that was cut off. The hook at process exit would wait for
    // this timeout and has nothing to do: the command ends its nodes itself.
    internal const string Config = """
        akka.coordinated-shutdown.phases.before-service-unbind.timeout = 20d
        akka.coordinated-shutdown.run-by-clr-shutdown-hook = off
        """;

    private const string FailedHandshake = "Akka.Remote.Transport.DotNetty.TlsHandshakeFailureReason";

    private readonly TaskCompletionSource<Done> _ends = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Guards a node that has not dialed any other node yet.</summary>
    /// <param name="system">Its actor system, with <see cref="Config"/> in its configuration.</param>
    /// <param name="cluster">Its cluster extension.</param>
    public FailedHandshakeGuard(ActorSystem system, Akka.Cluster.Cluster cluster)
    {
        var shutdown = CoordinatedShutdown.Get(system);
        shutdown.AddTask(
            CoordinatedShutdown.PhaseBeforeServiceUnbind,
            "failed TLS handshakes end no node",
            () =>
                shutdown.ShutdownReason?.GetType().FullName == FailedHandshake
                    ? _ends.Task
                    : Task.FromResult(Done.Instance)
        );
        system.ActorOf(Props.Create(() => new Watcher(cluster, this)));
    }

    /// <summary>The node ends: lets a shutdown that has started proceed.</summary>
    public void LetGo() => _ends.TrySetResult(Done.Instance);

    /// <summary>Watches for the end of this node's membership.</summary>
    private sealed class Watcher(Akka.Cluster.Cluster cluster, FailedHandshakeGuard guard) : UntypedActor
    {
        protected override void PreStart() =>
            cluster.Subscribe(
                Self,
                SubscriptionInitialStateMode.InitialStateAsEvents,
                typeof(MemberLeft),
                typeof(MemberExited),
                typeof(MemberRemoved),
                typeof(ClusterShuttingDown)
            );

        protected override void PostStop()
        {
            cluster.Unsubscribe(Self);
            guard.LetGo();
        }

        protected override void OnReceive(object message)
        {
            if (message is IMemberEvent changed && !changed.Member.UniqueAddress.Equals(cluster.SelfUniqueAddress))
                return;
            guard.LetGo();
        }
    }
}
