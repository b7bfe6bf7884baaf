using System.CommandLine;
using System.Net.Sockets;
using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary><c>userfault node</c>: one process of a cluster, until Ctrl-C.</summary>
internal static class NodeCommand
{
    public const string Name = "node";

    public static Command Create()
    {
        var command = new Command(
            Name,
            "Be a node of a cluster: a source or a fetcher of pages until Ctrl-C, or a destination until its guest "
                + "is there."
        );
        var options = new NodeOptions(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, result, cancelled)));
        return command;
    }

    private static async Task<int> Run(NodeOptions options, ParseResult result, CancellationToken cancelled)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        if (result.GetValue(options.UntilStdinCloses))
            StandardInput.EndWith(ends);
        var arguments = options.Image.Read(result);
        var settings = arguments.Settings;
        var role = result.GetValue(options.Role)!;
        if (result.GetValue(options.Image.Cluster) is not null)
            throw new CliException($"{options.Image.Cluster.Name}: belongs to migrate; a node joins at --seeds");
        if (role != NodeRoles.Source && result.GetValue(options.WorkingSet) is not null)
            throw new CliException($"{options.WorkingSet.Name}: belongs to a source; this node is a {role}");
        if (role is NodeRoles.Source or NodeRoles.Fetcher)
            options.Image.RefuseBeyondImage(result, role);
        switch (role)
        {
            case NodeRoles.Destination:
                var seeds = options.SeedsOf(result);
                var cluster = new ClusterRequest(options.Seeds.Name, () => Task.FromResult(seeds))
                {
                    Port = NodeOptions.PortOf(result, options.Port),
                    WhenImageIsAbsent = ImageAbsence.Wait,
                };
                return await MigrationProcedure.Run(arguments, Backend.Model, cluster, ends.Token);
            case NodeRoles.Source:
                var source = SetupOf(options, result, settings);
                using (var image = RunInputs.OpenImage(arguments))
                    await RunSource(options, result, source, image, ends.Token);
                return ExitCodes.Success;
            case NodeRoles.Fetcher:
                if (arguments.NamesImage)
                {
                    throw new CliException(
                        "--image and --synthetic: belong to a source; a fetcher serves what the sources have"
                    );
                }

                await RunFetcher(options, result, SetupOf(options, result, settings), ends.Token);
                return ExitCodes.Success;
            default:
                throw Units.Bad(
                    options.Role.Name,
                    role,
                    $"{NodeRoles.Source}, {NodeRoles.Fetcher} or {NodeRoles.Destination}"
                );
        }
    }

    private static ClusterSetup SetupOf(NodeOptions options, ParseResult result, Settings settings)
    {
        var setup = ClusterSetup.Open(settings);
        setup.CheckNodes(options.Seeds.Name, options.SeedsOf(result));
        return setup;
    }

    private static async Task RunSource(
        NodeOptions options,
        ParseResult result,
        ClusterSetup setup,
        IMemoryImage image,
        CancellationToken ends
    )
    {
        var port = NodeOptions.PortOf(result, options.DataPort);
        using var workingSet = result.GetValue(options.WorkingSet) is { } path
            ? new WorkingSetOffer(path, image, static line => Console.Error.WriteLine($"userfault node: {line}"))
            : null;
        using var offers = new SourceOffers(
            image,
            new SourceListing(image.Identity, image.Pages, setup.Host.ToString(), 0, Shortened(image.Name))
        )
        {
            WorkingSet = workingSet,
        };
        var view = new ClusterView();
        using var server = Serve(
            () =>
                new PageServer(
                    setup.ServerOptions(port),
                    offers.AtOnce,
                    () => SourceDirectory.Of(offers.Listings, view.Nodes)
                ),
            setup,
            port
        );
        offers.Serve(server);
        var settings = options.MembershipOf(result, () => new NodeReport(offers.Listings, server.Counters.Pages)) with
        {
            Joined = _ => SayServes(offers.Listings[0]),
        };
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ends, offers.Lost);
        using var warmup = new ServingWarmup(setup, image);
        await new ServingNode(setup, settings, new Replicas()) { View = view }.Run(over.Token);
        if (offers.Problem is { } problem)
            throw new CliException(problem);
    }

    private static async Task RunFetcher(
        NodeOptions options,
        ParseResult result,
        ClusterSetup setup,
        CancellationToken ends
    )
    {
        var port = NodeOptions.PortOf(result, options.DataPort);
        var relay = new Relay(setup.Host.ToString(), SayServes);
        var replicas = new Replicas();
        var fetch = FetcherSection.Of(setup.Settings);
        void Serve(ClusterMember member)
        {
            var actor = member.System.ActorOf(
                RelayActor.Props(
                    relay,
                    member.Node,
                    setup.ServerOptions(port),
                    setup.ClientOptions(default),
                    setup.RetryAfter,
                    replicas,
                    settings: fetch
                ),
                "relay"
            );
            member.Node.Tell(new NodeProtocol.Listen(actor), Akka.Actor.ActorRefs.NoSender);
        }

        var settings = options.MembershipOf(result, relay.Report) with { Joined = Serve };
        await new ServingNode(setup, settings, replicas) { Watch = metrics => metrics.Watch(relay) }.Run(ends);
    }

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

    private static void SayServes(SourceListing offer) =>
        Console.WriteLine(
            $"userfault node: serves {offer.PageCount} pages of image {offer.Image.Short} at {offer.Host}:{offer.Port}"
        );

    // A path may be longer than a listing can say; its end tells more than its beginning.
    private static string Shortened(string name) => name.Length <= 80 ? name : "..." + name[^77..];
}
