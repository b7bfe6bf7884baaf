using Akka.Actor;
using Userfault.Actors;
using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// A cluster feed without a cluster, for a warm-up: a page server in this process, and the connection to it that there
/// would be to a node's.
/// </summary>
/// <param name="setup">How nodes are reached.</param>
internal sealed class LoopbackFeed(ClusterSetup setup) : IActorFeed
{
    private ActorSystem? _system;
    private PageServer? _server;

    public bool BringsImage => false;

    public ActorSystem System => _system ?? throw new InvalidOperationException("the feed is not open");

    public int LocalFetchers => 0;

    public int BusyThreads => ClusterFeed.DataPlaneThreads;

    public IActorFeed ForWarmup() => new LoopbackFeed(setup);

    public Task<RemoteImage?> Open(Action<string> failed, CancellationToken cancelled)
    {
        _system = ActorSystem.Create(ClusterSetup.SystemName, setup.Settings.Config);
        return Task.FromResult<RemoteImage?>(null);
    }

    public Broadcast? Publish(IMemoryImage image)
    {
        var published = new PublishedBitmaps(image.Identity);
        var publisher = System.ActorOf(
            ClearPublisherActor.Props(published, setup.ClearEvery, membership: null),
            ClearPublisherActor.Name
        );
        return new Broadcast(publisher, "vm");
    }

    public async Task Connect(MigrationRun run, IMemoryImage image, IGuestMemory? memory, CancellationToken cancelled)
    {
        _server = new PageServer(setup.ServerOptions(0), [new PageOffer(image)]);
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = setup.ClientOptions(image.Identity) with { Loop = run.Loop };
        var into = PageLinksSettings.IntoPool(run.Pool, client, memory);
        var links = System.ActorOf(
            PageLinksActor.Props(
                into with
                {
                    Opened = (target, source) =>
                    {
                        into.Opened(target, source);
                        connected.TrySetResult();
                    },
                }
            ),
            "links"
        );
        var offer = new SourceListing(
            image.Identity,
            image.Pages,
            setup.Host.ToString(),
            _server.Endpoint.Port,
            image.Name
        );
        var node = new ClusterNode(
            Userfault.Nodes.NodeSystem.AddressOf(
                ClusterSetup.SystemName,
                offer.Host,
                offer.Port,
                isTls: setup.Tls is not null
            ),
            [NodeRoles.Source],
            MemberState.Up,
            IsReachable: true,
            new NodeReport([offer])
        );
        links.Tell(new NodeProtocol.NodesChanged([node]), ActorRefs.NoSender);
        await connected.Task.WaitAsync(cancelled);
    }

    public Task<string> Describe() => Task.FromResult("");

    public void Show(MigrationProgress progress) { }

    public Task<ClusterSummary?> End(MigrationReport report) => Task.FromResult<ClusterSummary?>(null);

    public async ValueTask DisposeAsync()
    {
        if (_system is not null)
            await _system.Terminate();
        _server?.Dispose();
    }
}
