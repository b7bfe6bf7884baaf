using System.CommandLine;
using System.Net.Sockets;
using Userfault.Nodes;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary><c>userfault node</c>: one process of a cluster, until Ctrl-C.</summary>
internal static class NodeCommand
{
    public static Command Create()
    {
        var command = new Command("node", "Be a node of a cluster: a source or a fetcher of pages until Ctrl-C, or a destination until its guest is there.");
        var options = new NodeOptions(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, result, cancelled)));
        return command;
    }

    private static async Task<int> Run(NodeOptions options, ParseResult result, CancellationToken cancelled)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        if (result.GetValue(options.UntilStdinCloses)) EndWithStdin(ends);
        var settings = options.Image.LoadSettings(result);
        var role = result.GetValue(options.Role)!;
        if (result.GetValue(options.Image.Cluster) is not null)
            throw new CliException($"{options.Image.Cluster.Name}: belongs to migrate; a node joins at --seeds");
        if (role is NodeRoles.Source or NodeRoles.Fetcher) options.Image.RefuseBeyondImage(result, role);
        switch (role)
        {
            case NodeRoles.Destination:
                var seeds = ClusterSetup.Nodes(options.Seeds.Name, result.GetValue(options.Seeds));
                return await ClusterMigration.Run(
                    options.Image, result, options.Seeds.Name, () => Task.FromResult(seeds), ends.Token, NodeOptions.PortOf(result, options.Port), waits: true);
            case NodeRoles.Source:
                var source = SetupOf(options, result, settings);
                using (var image = RunInputs.OpenImage(options.Image, result, settings))
                    await RunSource(options, result, source, image, ends.Token);
                return ExitCodes.Success;
            case NodeRoles.Fetcher:
                if (result.GetValue(options.Image.Image) is not null || result.GetValue(options.Image.Synthetic) is not null)
                    throw new CliException("--image and --synthetic: belong to a source; a fetcher serves what the sources have");
                await RunFetcher(options, result, SetupOf(options, result, settings), ends.Token);
                return ExitCodes.Success;
            default:
                throw Units.Bad(options.Role.Name, role, $"{NodeRoles.Source}, {NodeRoles.Fetcher} or {NodeRoles.Destination}");
        }
    }

    private static ClusterSetup SetupOf(NodeOptions options, ParseResult result, Settings settings)
    {
        var setup = ClusterSetup.Open(settings);
        setup.CheckNodes(options.Seeds.Name, ClusterSetup.Nodes(options.Seeds.Name, result.GetValue(options.Seeds)));
        return setup;
    }

    private static async Task RunSource(
        NodeOptions options, ParseResult result, ClusterSetup setup, IMemoryImage image, CancellationToken ends)
    {
        var port = NodeOptions.PortOf(result, options.DataPort);
        using var manifest = new ManifestSource(image);
        using var server = Serve(
            () => new PageServer(setup.ServerOptions(port), [new PageOffer(image), new PageOffer(manifest) { IsListed = false }]), setup, port);
        var offer = new SourceListing(image.Identity, image.Pages, setup.Host.ToString(), server.Endpoint.Port, Shortened(image.Name));
        var replicas = new Replicas();
        await RunMember(options, result, setup, replicas, () => new NodeReport([offer], server.Counters.Pages), member => SayServes(offer), ends);
    }

    private static async Task RunFetcher(NodeOptions options, ParseResult result, ClusterSetup setup, CancellationToken ends)
    {
        var port = NodeOptions.PortOf(result, options.DataPort);
        var relay = new Relay(setup.Host.ToString(), SayServes);
        var replicas = new Replicas();
        var settings = MigrateOptions.ToMigration(setup.Settings).Fetcher;
        await RunMember(options, result, setup, replicas, relay.Report, member =>
        {
            var actor = member.System.ActorOf(RelayActor.Props(
                relay, member.Node, setup.ServerOptions(port), setup.ClientOptions(default), setup.RetryAfter, replicas, settings: settings), "relay");
            member.Node.Tell(new NodeProtocol.Listen(actor), Akka.Actor.ActorRefs.NoSender);
        }, ends, metrics => metrics.Watch(relay));
    }

    private static async Task RunMember(
        NodeOptions options, ParseResult result, ClusterSetup setup, Replicas replicas, Func<NodeReport> report,
        Action<ClusterMember> joined, CancellationToken ends, Action<NodeMetrics>? watch = null)
    {
        var role = result.GetValue(options.Role)!;
        NodeReport Whole() => WithState(report(), replicas);
        MetricsEndpoint? endpoint = null;
        var isFirst = true;
        var memberships = new Memberships(
            setup, (role, NodeOptions.PortOf(result, options.Port)),
            (options.Seeds.Name, ClusterSetup.Nodes(options.Seeds.Name, result.GetValue(options.Seeds))), Whole,
            member => member.Listen(BitmapReplicasActor.Props(replicas, member.Membership), "replicas"),
            member =>
            {
                Console.WriteLine($"userfault node: {role} at {member.Endpoint}");
                if (isFirst && endpoint is not null) Console.WriteLine($"userfault node: metrics at {endpoint.Address}");
                isFirst = false;
                joined(member);
            });
        using var metrics = new NodeMetrics(Whole, () => memberships.View.Nodes);
        metrics.Watch(replicas);
        watch?.Invoke(metrics);
        using (endpoint = MetricsEndpoint.Open(setup)) await memberships.Run(ends);
    }

    private static NodeReport WithState(NodeReport report, Replicas replicas) => report with
    {
        State = (report.Offers.Count > 0 ? "serves" : "has nothing to serve") + (replicas.Lost is { } lost ? $"; {lost}" : ""),
    };

    private static PageServer Serve(Func<PageServer> open, ClusterSetup setup, int port)
    {
        try
        {
            return open();
        }
        catch (SocketException e)
        {
            throw new CliException($"--data-port {port}: cannot be listened on at {setup.Host}: {e.Message}");
        }
    }

    private static void SayServes(SourceListing offer) => Console.WriteLine(
        $"userfault node: serves {offer.PageCount} pages of image {offer.Image.Short} at {offer.Host}:{offer.Port}");

    // A path may be longer than a listing can say; its end tells more than its beginning.
    private static string Shortened(string name) => name.Length <= 80 ? name : "..." + name[^77..];

    // Whoever has started this process may die: its end closes the pipe, and no node stays behind.
    private static void EndWithStdin(CancellationTokenSource ends)
    {
        var reader = new Thread(() =>
        {
            while (Console.In.Read() >= 0)
            {
            }

            ends.Cancel();
        })
        { IsBackground = true, Name = "end of standard input" };
        reader.Start();
    }
}
