using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// A process's membership over all its incarnations, at one address. One that finds itself downed, since it was cut off
/// for long, goes with its actor system, and the next joins again; so does one that hears of the cluster it was cut off
/// from. What the process has, an image or a guest, lives elsewhere and stays.
/// </summary>
internal sealed class Memberships
{
    private readonly ClusterSetup _setup;
    private readonly MembershipSettings _settings;
    private readonly Acquaintances _known;
    private int _port;

    /// <summary>A process that is no member yet.</summary>
    /// <param name="setup">How nodes are reached.</param>
    /// <param name="settings">What it is there.</param>
    public Memberships(ClusterSetup setup, MembershipSettings settings)
    {
        (_setup, _settings, _port) = (setup, settings, settings.Port);
        _known = new Acquaintances(setup.Named(settings.Seeds));
    }

    /// <summary>The cluster as the last incarnation saw it.</summary>
    public ClusterView View { get; init; } = new();

    /// <summary>Is a member until the end, and leaves in order.</summary>
    /// <param name="ends">The end.</param>
    /// <exception cref="CliException">The first incarnation was let in nowhere, or its port is taken.</exception>
    public async Task Run(CancellationToken ends)
    {
        for (var isFirst = true; !ends.IsCancellationRequested; isFirst = false)
        {
            // A founder soon begins anew where nobody answers: others may want its pages, and those it lost are found
            // later.
            var (seeds, isHasty, isRefused) = (_known.Seeds, !isFirst && _known.IsFounder && !_known.HasFound, false);
            // Of several nodes the first that answers is joined: it must be the one that was found, not one of the
            // cluster that gave way.
            if (_known.HasFound)
                seeds = [seeds[0]];
            NodeSystem? node = null;
            try
            {
                node = ClusterMember.Open(_setup, _settings.Role, _port);
                var found = Open(node, out var member);
                await member.Join(
                    new JoinAttempt(_settings.SeedOption, seeds, isHasty ? _setup.JoinTimeout / 4 : _setup.JoinTimeout)
                    {
                        LogsSilence = isFirst,
                    },
                    ends
                );
                if (ends.IsCancellationRequested)
                    return;
                _settings.Joined(member);
                await Task.WhenAny(node.System.WhenTerminated, found.Task, Ended(ends));
                if (ends.IsCancellationRequested)
                    return;
                await Console.Error.WriteLineAsync(
                    "userfault node: "
                        + (
                            found.Task.IsCompletedSuccessfully
                                ? $"{NodeEvent.ClusterFound}: the cluster that it was cut off from is at "
                                    + $"{found.Task.Result.Host}:{found.Task.Result.Port}; joins again"
                                : $"{NodeEvent.CutOff}: was cut off from the cluster; joins again"
                        )
                );
            }
            catch (CliException e) when (!isFirst)
            {
                isRefused = true;
                await Console.Error.WriteLineAsync($"userfault node: {NodeEvent.Retries}: {e.Message}; tries again");
                if (node is null)
                    await Task.Delay(_setup.RetryAfter, CancellationToken.None);
            }
            finally
            {
                if (node is not null)
                    await node.Close();
            }

            if (isRefused)
                _known.Refused();
        }
    }

    private TaskCompletionSource<Address> Open(NodeSystem node, out ClusterMember member)
    {
        member = new ClusterMember(_setup, node, _settings.Report);
        _port = node.Membership.Self.Address.Port ?? _port;
        View.Follow(node.System, member.Node);
        var found = new TaskCompletionSource<Address>(TaskCreationOptions.RunContinuationsAsynchronously);
        member.Listen(
            ReunionActor.Props(node.Membership, _known, _setup.ReportEvery, at => found.TrySetResult(at)),
            "reunion"
        );
        _settings.Opened(member);
        return found;
    }

    private static Task Ended(CancellationToken ends)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ends.Register(() => ended.TrySetResult());
        return ended.Task;
    }
}
