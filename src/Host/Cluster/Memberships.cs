using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// A process's membership over all its incarnations, at one address. One that finds itself downed, since it was cut off for
/// long, goes with its actor system, and the next joins again; so does one that hears of the cluster it was cut off from. What
/// the process has, an image or a guest, lives elsewhere and stays.
/// </summary>
internal sealed class Memberships
{
    private readonly ClusterSetup _setup;
    private readonly string _role;
    private readonly string _option;
    private readonly Acquaintances _known;
    private readonly Func<NodeReport> _report;
    private readonly Action<ClusterMember> _opened;
    private readonly Action<ClusterMember> _joined;
    private int _port;

    /// <summary>A process that is no member yet.</summary>
    /// <param name="setup">How nodes are reached.</param>
    /// <param name="node">Its role, of <see cref="NodeRoles"/>, and its port; 0 is any free one, and then always that one.</param>
    /// <param name="seeds">Nodes to join at, none begins a cluster; with the option that named them, for messages.</param>
    /// <param name="report">What there is to say of the node.</param>
    /// <param name="opened">Told of each incarnation before it joins.</param>
    /// <param name="joined">Told of each incarnation that is a member.</param>
    public Memberships(
        ClusterSetup setup, (string Role, int Port) node, (string Option, IReadOnlyList<Address> Nodes) seeds, Func<NodeReport> report,
        Action<ClusterMember> opened, Action<ClusterMember> joined)
    {
        (_setup, _role, _port, _option, _report) = (setup, node.Role, node.Port, seeds.Option, report);
        (_known, _opened, _joined) = (new Acquaintances(setup.Named(seeds.Nodes)), opened, joined);
    }

    /// <summary>The cluster as the last incarnation saw it.</summary>
    public ClusterView View { get; } = new();

    /// <summary>Is a member until the end, and leaves in order.</summary>
    /// <param name="ends">The end.</param>
    /// <exception cref="CliException">The first incarnation was let in nowhere, or its port is taken.</exception>
    public async Task Run(CancellationToken ends)
    {
        for (var isFirst = true; !ends.IsCancellationRequested; isFirst = false)
        {
            // A founder soon begins anew where nobody answers: others may want its pages, and those it lost are found later.
            var (seeds, isHasty, isRefused) = (_known.Seeds, !isFirst && _known.IsFounder && !_known.HasFound, false);
            // Of several nodes the first that answers is joined: it must be the one that was found, not one of the cluster that gave way.
            if (_known.HasFound) seeds = [seeds[0]];
            NodeSystem? node = null;
            try
            {
                node = ClusterMember.Open(_setup, _role, _port);
                var found = Open(node, out var member);
                await member.Join(_option, seeds, ends, isHasty ? _setup.JoinTimeout / 4 : _setup.JoinTimeout, saysSo: isFirst);
                if (ends.IsCancellationRequested) return;
                _joined(member);
                await Task.WhenAny(node.System.WhenTerminated, found.Task, Ended(ends));
                if (ends.IsCancellationRequested) return;
                await Console.Error.WriteLineAsync("userfault node: " + (found.Task.IsCompletedSuccessfully
                    ? $"the cluster that it was cut off from is at {found.Task.Result.Host}:{found.Task.Result.Port}; joins again"
                    : "was cut off from the cluster; joins again"));
            }
            catch (CliException e) when (!isFirst)
            {
                isRefused = true;
                await Console.Error.WriteLineAsync($"userfault node: {e.Message}; tries again");
                if (node is null) await Task.Delay(_setup.RetryAfter, CancellationToken.None);
            }
            finally
            {
                if (node is not null) await node.Close();
            }

            if (isRefused) _known.Refused();
        }
    }

    private TaskCompletionSource<Address> Open(NodeSystem node, out ClusterMember member)
    {
        member = new ClusterMember(_setup, node, _report);
        _port = node.Membership.Self.Address.Port ?? _port;
        View.Follow(node.System, member.Node);
        var found = new TaskCompletionSource<Address>(TaskCreationOptions.RunContinuationsAsynchronously);
        member.Listen(ReunionActor.Props(node.Membership, _known, _setup.ReportEvery, at => found.TrySetResult(at)), "reunion");
        _opened(member);
        return found;
    }

    private static Task Ended(CancellationToken ends)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ends.Register(() => ended.TrySetResult());
        return ended.Task;
    }
}
