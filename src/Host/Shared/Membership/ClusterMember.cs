using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// A process's membership: its actor system as a part of the cluster, with the actor that speaks for it.
/// </summary>
internal sealed class ClusterMember
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private readonly ClusterSetup _setup;

    /// <summary>Speaks for a system that was made with <see cref="Open"/>.</summary>
    public ClusterMember(ClusterSetup setup, NodeSystem node, Func<NodeReport> report)
    {
        (_setup, System, Membership) = (setup, node.System, node.Membership);
        Node = System.ActorOf(NodeActor.Props(Membership, report, setup.ReportEvery), NodeActor.Name);
    }

    public ActorSystem System { get; }

    public IMembership Membership { get; }

    public IActorRef Node { get; }

    /// <summary>Where other nodes reach it, as H:P.</summary>
    public string Endpoint => $"{Membership.Self.Address.Host}:{Membership.Self.Address.Port}";

    /// <summary>Starts an actor of this incarnation that hears of the cluster.</summary>
    public void Listen(Props listener, string name) =>
        Node.Tell(new NodeProtocol.Listen(System.ActorOf(listener, name)), ActorRefs.NoSender);

    /// <summary>Opens the actor system of a node.</summary>
    /// <exception cref="CliException">The port cannot be listened on.</exception>
    public static NodeSystem Open(ClusterSetup setup, string role, int port)
    {
        try
        {
            return NodeSystem.Open(setup.NodeSettings(role, port), setup.Settings.Config);
        }
        catch (Exception e) when (Cause(e) is { } socket)
        {
            throw new CliException($"--port {port}: cannot be listened on at {setup.Host}: {socket.Message}");
        }
    }

    /// <summary>Becomes a member, of a cluster of its own where no other node is named.</summary>
    /// <param name="attempt">Where, and for how long it is tried.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">None of the nodes let it in in time.</exception>
    public async Task Join(JoinAttempt attempt, CancellationToken cancelled)
    {
        var (nodes, patience) = (attempt.Nodes, attempt.Patience);
        var at = string.Join(",", nodes.Select(n => $"{n.Host}:{n.Port}"));
        Membership.Join(_setup.Named(nodes));
        var isTold = attempt.LogsSilence && nodes.Count > 0;
        if (isTold)
        {
            if (await Until(IsIn, cancelled, patience / 4) || cancelled.IsCancellationRequested)
                return;
            await Console.Error.WriteLineAsync(
                $"userfault: no node at {at} has let this one in yet; asks for {patience.TotalSeconds:0.#} s in all"
            );
        }

        if (await Until(IsIn, cancelled, isTold ? patience * 3 / 4 : patience) || cancelled.IsCancellationRequested)
            return;
        throw new CliException(
            $"{attempt.Option}: no node at {at} has let this one in within {patience.TotalSeconds:0.#} s; "
                + $"{_setup.Advice(nodes)}"
        );
    }

    /// <summary>Asks again and again until it holds: true; false after Ctrl-C, or out of patience.</summary>
    /// <param name="holds">What is asked.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <param name="patience">Longest wait, which may be infinite; null is the join timeout.</param>
    public async Task<bool> Until(Func<Task<bool>> holds, CancellationToken cancelled, TimeSpan? patience = null)
    {
        var longest = patience ?? _setup.JoinTimeout;
        var start = TimeProvider.System.GetTimestamp();
        while (!cancelled.IsCancellationRequested)
        {
            if (await holds())
                return true;
            if (longest != Timeout.InfiniteTimeSpan && TimeProvider.System.GetElapsedTime(start) > longest)
                return false;
            await Task.Delay(Poll, CancellationToken.None);
        }

        return false;
    }

    /// <summary>
    /// The cluster as this node sees it; nothing once this incarnation has ended, whose actor does not answer any more.
    /// </summary>
    public async Task<IReadOnlyList<ClusterNode>> Nodes()
    {
        var asked = Node.Ask<NodeProtocol.NodesChanged>(NodeProtocol.GetNodes.Instance, _setup.JoinTimeout);
        return await Task.WhenAny(asked, System.WhenTerminated) == asked ? (await asked).Nodes : [];
    }

    private async Task<bool> IsIn() =>
        (await Nodes()).Any(n =>
            n.Address.Equals(Membership.Self.Address) && n.State is MemberState.Up or MemberState.WeaklyUp
        );

    private static Exception? Cause(Exception e) =>
        e is global::System.Net.Sockets.SocketException ? e
        : e.InnerException is { } inner ? Cause(inner)
        : null;
}
