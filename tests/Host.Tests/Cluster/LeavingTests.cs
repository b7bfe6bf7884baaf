using System.Diagnostics;
using System.Threading.Channels;
using Akka.Actor;
using Userfault.Cli;
using Userfault.Nodes;

namespace Userfault.Host.Tests.Cluster;

/// <summary>Ctrl-C and SIGTERM: a node leaves in order, and the others never take it for lost.</summary>
public sealed class LeavingTests : IDisposable
{
    // Nobody is lost sight of, however slow this machine is: what is left is how a node goes.
    private const string Patient = """
        userfault.cluster.join-timeout = 120s
        akka {
          cluster.failure-detector { acceptable-heartbeat-pause = 120s, expected-response-after = 120s }
          coordinated-shutdown.phases { cluster-leave.timeout = 60s, cluster-exiting.timeout = 60s }
        }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("INT", 0, "node", "--role", "source", "--synthetic", "1M")]
    [InlineData("TERM", 0, "node", "--role", "source", "--synthetic", "1M")]
    [InlineData("INT", 0, "node", "--role", "fetcher")]
    [InlineData("TERM", 0, "node", "--role", "fetcher")]
    [InlineData("INT", 130, "node", "--role", "destination")]
    [InlineData("TERM", 130, "node", "--role", "destination")]
    public async Task A_node_that_is_told_to_end_leaves_in_order(string signal, int exitCode, params string[] command)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "sends signals by kill");
        var config = _folder.Write("patient.hocon", Patient);
        var setup = ClusterSetup.Open(Cli.Settings.Load(config));
        var events = Channel.CreateUnbounded<IMembershipEvent>();
        var watcher = NodeSystem.Open(setup.NodeSettings(NodeRoles.Fetcher, port: 0), setup.Settings.Config);
        try
        {
            watcher.Membership.Follow(watcher.System.ActorOf(Props.Create(() => new Listener(events.Writer))));
            watcher.Membership.Join([]);
            var at = watcher.Membership.Self.Address;
            using var node = CommandLine.Start([.. command, "--seeds", $"{at.Host}:{at.Port}", "--config", config]);
            try
            {
                var up = await Next(events.Reader, e => e is MemberChanged { State: MemberState.Up } changed && changed.Node != watcher.Membership.Self);
                var error = await End(node, signal, isDestination: command.Contains("destination"));
                var gone = await Next(events.Reader, e => e is MemberChanged { State: MemberState.Removed });

                Assert.Equal(exitCode, node.ExitCode);
                Assert.Equal(((MemberChanged)up[^1]).Node, ((MemberChanged)gone[^1]).Node);
                Assert.DoesNotContain(gone, e => e is ReachabilityChanged or MemberChanged { State: MemberState.Down });
                Assert.Contains(gone, e => e is MemberChanged { State: MemberState.Exiting });
                Assert.DoesNotContain("akka", error, StringComparison.OrdinalIgnoreCase);
            }
            finally
            {
                if (!node.HasExited) node.Kill();
            }
        }
        finally
        {
            await watcher.Close();
        }
    }

    // Others know that it is up before it does itself: it says so then, a destination among what goes to standard error.
    private static async Task<string> End(Process node, string signal, bool isDestination)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var says = isDestination ? node.StandardError : node.StandardOutput;
        while (!(await says.ReadLineAsync(late.Token))!.StartsWith("userfault node: ", StringComparison.Ordinal))
        {
        }

        NodeProcess.Signal(node, signal);
        var error = await node.StandardError.ReadToEndAsync(late.Token);
        await node.WaitForExitAsync(late.Token);
        return error;
    }

    // All up to the first that is meant.
    private static async Task<List<IMembershipEvent>> Next(ChannelReader<IMembershipEvent> events, Func<IMembershipEvent, bool> isMeant)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var heard = new List<IMembershipEvent>();
        do heard.Add(await events.ReadAsync(late.Token));
        while (!isMeant(heard[^1]));
        return heard;
    }

    private sealed class Listener(ChannelWriter<IMembershipEvent> events) : UntypedActor
    {
        protected override void OnReceive(object message) => events.TryWrite((IMembershipEvent)message);
    }
}
