using System.CommandLine;
using System.Globalization;
using Akka.Actor;
using Spectre.Console;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault status</c>: the cluster as one of its nodes sees it; asks that node and does not join. Or a page-fault
/// handler, which is in no cluster.
/// </summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var command = new Command(
            "status",
            "Say who is in a cluster, what each node does and how much, as one of its nodes sees it; or what a "
                + "page-fault handler does."
        );
        var cluster = new Option<string>("--cluster")
        {
            Description = "the node to ask, H:P; with several the first that answers",
        };
        var serve = new Option<string>("--serve")
        {
            Description = "a page-fault handler instead: the socket of its --status-socket",
        };
        var json = new Option<bool>("--json") { Description = "as JSON" };
        var overlay = new SettingsOptions();
        command.Options.Add(cluster);
        command.Options.Add(serve);
        command.Options.Add(json);
        overlay.AddTo(command);
        command.SetAction(
            (result, cancelled) =>
                BadInput.Guard(() =>
                    (result.GetValue(cluster) is null) == (result.GetValue(serve) is null)
                        ? throw new CliException("status: give --cluster H:P or --serve S")
                    : result.GetValue(serve) is { } socket
                        ? Task.FromResult(HandlerStatus.Run(serve.Name, socket, FormatOf(result.GetValue(json))))
                    : Run(
                        cluster.Name,
                        result.GetValue(cluster)!,
                        FormatOf(result.GetValue(json)),
                        overlay.Load(result),
                        cancelled
                    )
                )
        );
        return command;
    }

    private static StatusFormat FormatOf(bool json) => json ? StatusFormat.Json : StatusFormat.Table;

    private static async Task<int> Run(
        string option,
        string text,
        StatusFormat format,
        Settings settings,
        CancellationToken cancelled
    )
    {
        var asked = ClusterSetup.Nodes(option, text);
        if (asked.Count == 0)
            throw Units.Bad(option, text, "the address of a node, such as 127.0.0.1:7001");
        var setup = ClusterSetup.Open(settings);
        setup.CheckNodes(option, asked);
        var nodes = await Ask(setup, option, asked, cancelled);
        if (format == StatusFormat.Json)
            Console.Out.WriteLine(StatusReport.Json(nodes));
        else
            Write(nodes);
        return ExitCodes.Success;
    }

    /// <summary>The cluster as the first of these nodes that answers sees it.</summary>
    /// <param name="setup">How nodes are reached, and how long is waited.</param>
    /// <param name="option">The option that named the nodes, for messages.</param>
    /// <param name="asked">The nodes.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">None has answered in time.</exception>
    internal static async Task<IReadOnlyList<ClusterNode>> Ask(
        ClusterSetup setup,
        string option,
        IReadOnlyList<Address> asked,
        CancellationToken cancelled
    )
    {
        var node = ClusterMember.Open(setup, NodeRoles.Observer, port: 0);
        var answer = new TaskCompletionSource<IReadOnlyList<ClusterNode>>(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        node.System.ActorOf(Props.Create(() => new Asker(node.Membership, setup.Named(asked), answer)), "status");
        try
        {
            return await answer.Task.WaitAsync(setup.JoinTimeout, cancelled);
        }
        catch (TimeoutException)
        {
            throw new CliException(
                $"{option}: no node at {string.Join(",", asked.Select(n => $"{n.Host}:{n.Port}"))} has answered within "
                    + $"{setup.JoinTimeout.TotalSeconds:0.#} s; {setup.Advice(asked)}"
            );
        }
        finally
        {
            await node.Close();
        }
    }

    private static void Write(IReadOnlyList<ClusterNode> nodes)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected)
            console.Profile.Width = 200;
        var table = new Table().Border(TableBorder.Rounded);
        foreach (
            var column in new[] { "node", "roles", "member", "reachable", "pages sent", "pages/s", "in place", "state" }
        )
        {
            table.AddColumn(column);
        }

        foreach (var node in nodes)
        {
            var report = node.Report ?? NodeReport.Nothing;
            table.AddRow([
                .. new[]
                {
                    $"{node.Address.Host}:{node.Address.Port}",
                    string.Join(",", node.Roles),
                    node.State.ToString(),
                    node.IsReachable ? "yes" : "NO",
                    report.PagesSent.ToString(CultureInfo.InvariantCulture),
                    report.PagesPerSecond.ToString("0", CultureInfo.InvariantCulture),
                    report.Pages == 0
                        ? ""
                        : string.Create(
                            CultureInfo.InvariantCulture,
                            $"{report.PagesPresent}/{report.Pages} ({100.0 * report.PagesPresent / report.Pages:0.0} %)"
                        ),
                    node.Report is null ? "no report yet" : report.State,
                }.Select(Markup.Escape),
            ]);
        }

        console.Write(table);
    }

    // Asks again and again: a node may be in the middle of starting, and a message may be lost.
    private sealed class Asker(
        IMembership membership,
        IReadOnlyList<Address> asked,
        TaskCompletionSource<IReadOnlyList<ClusterNode>> answer
    ) : UntypedActor, IWithTimers
    {
        private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(300);

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => Timers.StartPeriodicTimer("ask", "ask", TimeSpan.Zero, Every);

        protected override void OnReceive(object message)
        {
            if (message is NodeProtocol.NodesChanged nodes)
            {
                answer.TrySetResult(nodes.Nodes);
                return;
            }

            foreach (var node in asked)
                membership.Tell(node, NodeActor.Name, NodeProtocol.GetNodes.Instance, Self);
        }
    }
}
