using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>A process's membership: its actor system as a part of the cluster, with the actor that speaks for it.</summary>
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
    public void Listen(Props listener, string name) => Node.Tell(new NodeProtocol.Listen(System.ActorOf(listener, name)), ActorRefs.NoSender);

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
    /// <param name="option">The option that named the nodes, for messages.</param>
    /// <param name="nodes">Nodes to join at.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <param name="patience">Longest wait to be let in; null is the join timeout.</param>
    /// <param name="saysSo">Is it said once that the nodes do not answer, long before this is given up?</param>
    /// <exception cref="CliException">None of the nodes let it in in time.</exception>
    public async Task Join(string option, IReadOnlyList<Address> nodes, CancellationToken cancelled, TimeSpan? patience = null, bool saysSo = false)
    {
        var until = patience ?? _setup.JoinTimeout;
        var at = string.Join(",", nodes.Select(n => $"{n.Host}:{n.Port}"));
        Membership.Join(_setup.Named(nodes));
        var isTold = saysSo && nodes.Count > 0;
        if (isTold)
        {
            if (await Until(IsIn, cancelled, patience: until / 4) || cancelled.IsCancellationRequested) return;
            await Console.Error.WriteLineAsync($"userfault: no node at {at} has let this one in yet; asks for {until.TotalSeconds:0.#} s in all");
        }

        if (await Until(IsIn, cancelled, patience: isTold ? until * 3 / 4 : until) || cancelled.IsCancellationRequested) return;
        throw new CliException(
            $"{option}: no node at {at} has let this one in within {until.TotalSeconds:0.#} s; {_setup.Advice(nodes)}");
    }

    /// <summary>Asks again and again until it holds: true; false after Ctrl-C or, without time, the join timeout.</summary>
    public async Task<bool> Until(Func<Task<bool>> holds, CancellationToken cancelled, bool hasTime = false, TimeSpan? patience = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!cancelled.IsCancellationRequested)
        {
            if (await holds()) return true;
            if (!hasTime && TimeProvider.System.GetElapsedTime(start) > (patience ?? _setup.JoinTimeout)) return false;
            await Task.Delay(Poll, CancellationToken.None);
        }

        return false;
    }

    /// <summary>The cluster as this node sees it; nothing once this incarnation has ended, whose actor does not answer any more.</summary>
    public async Task<IReadOnlyList<ClusterNode>> Nodes()
    {
        var asked = Node.Ask<NodeProtocol.NodesChanged>(NodeProtocol.GetNodes.Instance, _setup.JoinTimeout);
        return await Task.WhenAny(asked, System.WhenTerminated) == asked ? (await asked).Nodes : [];
    }

    private async Task<bool> IsIn() =>
        (await Nodes()).Any(n => n.Address.Equals(Membership.Self.Address) && n.State is MemberState.Up or MemberState.WeaklyUp);

    private static Exception? Cause(Exception e) =>
        e is global::System.Net.Sockets.SocketException ? e : e.InnerException is { } inner ? Cause(inner) : null;
}
