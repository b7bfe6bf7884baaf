using Akka;
using Akka.Actor;
using static Akka.Cluster.ClusterEvent;

namespace Userfault.Nodes;

/// <summary>
/// Keeps a node alive when a TLS handshake fails that it began.
/// </summary>
/// <remarks>
/// Akka.Remote answers such a failure by shutting down the whole actor system of the node that dialed, as if its own
/// certificate were at fault. Then anything that listens where a node once was, or a connection that is cut at the wrong
/// moment, would end every member that still tries to reach that node. No setting turns this off. It is a run of
/// CoordinatedShutdown, though, and a run does nothing before the tasks of its first phase are done: the guard's task is one
/// of them, and for this reason alone it waits until the node really ends. All phases then follow in order, as they would
/// have without the failure.
/// What begins a shutdown of its own would find it begun, and would wait with it. So the guard lets go when this member is
/// downed, leaves or is removed, and <see cref="NodeSystem.Close"/> does before it ends the actor system.
/// </remarks>
internal sealed class FailedHandshakeGuard
{
    // The phase has no timeout that could be turned off; the scheduler takes at most 24 days. A node that is still a member
    // after that time leaves and joins again, as one that was cut off does. The hook at the process's exit would wait for
    // this timeout, and has nothing to do: the command ends its nodes itself.
    internal const string Config = """
        akka.coordinated-shutdown.phases.before-service-unbind.timeout = 20d
        akka.coordinated-shutdown.run-by-clr-shutdown-hook = off
        """;

    private const string FailedHandshake = "Akka.Remote.Transport.DotNetty.TlsHandshakeFailureReason";

    private readonly TaskCompletionSource<Done> _ends = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Guards a node that has dialed nobody yet.</summary>
    /// <param name="system">Its actor system, with <see cref="Config"/> in its configuration.</param>
    /// <param name="cluster">Its cluster extension.</param>
    public FailedHandshakeGuard(ActorSystem system, Akka.Cluster.Cluster cluster)
    {
        var shutdown = CoordinatedShutdown.Get(system);
        shutdown.AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "failed TLS handshakes end no node", () =>
            shutdown.ShutdownReason?.GetType().FullName == FailedHandshake ? _ends.Task : Task.FromResult(Done.Instance));
        system.ActorOf(Props.Create(() => new Watcher(cluster, this)));
    }

    /// <summary>The node ends: lets a shutdown that has begun go on.</summary>
    public void LetGo() => _ends.TrySetResult(Done.Instance);

    /// <summary>Looks for the end of this node's membership.</summary>
    private sealed class Watcher(Akka.Cluster.Cluster cluster, FailedHandshakeGuard guard) : UntypedActor
    {
        protected override void PreStart() => cluster.Subscribe(
            Self, SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(MemberLeft), typeof(MemberExited), typeof(MemberRemoved), typeof(ClusterShuttingDown));

        protected override void PostStop()
        {
            cluster.Unsubscribe(Self);
            guard.LetGo();
        }

        protected override void OnReceive(object message)
        {
            if (message is IMemberEvent changed && !changed.Member.UniqueAddress.Equals(cluster.SelfUniqueAddress)) return;
            guard.LetGo();
        }
    }
}
