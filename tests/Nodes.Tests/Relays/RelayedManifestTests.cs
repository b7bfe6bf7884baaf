using Akka.Actor;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Nodes.Tests;

/// <summary>A fetcher's node passes on what a source says of its image, to a destination that does not reach the source itself.</summary>
public sealed class RelayedManifestTests : IDisposable
{
    private const ulong Pages = 3000;
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ActorSystem _system = ActorSystem.Create("relay", "akka.loglevel = OFF");
    private readonly SyntheticImage _image = new(new SyntheticSettings(Pages, Seed: 4));
    private readonly ManifestSource _manifest;
    private readonly PageServer _server;
    private readonly Link _toSource;
    private readonly Relay _relay = new("127.0.0.1", static _ => { });
    private readonly IActorRef _relayActor;

    public RelayedManifestTests()
    {
        _manifest = new ManifestSource(_image);
        _server = new PageServer(new PageServerOptions(), [new PageOffer(_image), new PageOffer(_manifest) { IsListed = false }]);
        _toSource = new Link(_server.Endpoint);
        var client = new PageClientOptions { Server = _server.Endpoint };
        _relayActor = _system.ActorOf(RelayActor.Props(
            _relay, _system.ActorOf(Props.Create(() => new Silent())), new PageServerOptions(), client, Soon, new Replicas()));
    }

    public void Dispose()
    {
        _system.Terminate().Wait();
        _toSource.Dispose();
        _server.Dispose();
        _manifest.Dispose();
        _image.Dispose();
    }

    [Fact]
    public async Task Digests_come_through_a_fetcher_where_the_source_itself_is_out_of_reach()
    {
        using var nowhere = new Link(_server.Endpoint);
        nowhere.Cut();
        _relayActor.Tell(new NodeProtocol.NodesChanged([Source(_toSource.Port)]));
        await Until(() => _relay.Report().Offers.Count == 1);

        var digests = new ReplicaSource(ImageManifest.IdentityOf(_image.Identity), 0, "digests");
        var links = _system.ActorOf(PageLinksActor.Props(new PageLinksSettings
        {
            Client = new PageClientOptions { Server = _server.Endpoint, Image = digests.Identity },
            OfferedAs = _image.Identity,
            RetryAfter = Soon,
            Opened = (_, open) => digests.Add(open),
            Closed = (_, closed) => digests.Remove(closed),
        }));
        links.Tell(new NodeProtocol.NodesChanged([Source(nowhere.Port), Fetcher()]));
        var download = new ManifestDownload(digests, _image.Identity, Soon, TimeProvider.System);
        var described = await download.Describe(CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(Pages, described.Described);

        // The connection behind the relay breaks in the middle, and is made anew.
        using var remote = new RemoteImage(described, "there");
        var fill = download.Fill(described, remote.Digests, CancellationToken.None);
        _toSource.Cut();
        _toSource.Mend();
        await fill.WaitAsync(Patience);
        for (ulong gfn = 0; gfn < Pages; gfn++) Assert.Equal(DigestOf(gfn), remote.Digests[new Gfn(gfn)]);
    }

    [Fact]
    public async Task Without_a_source_of_it_a_fetcher_has_no_manifest()
    {
        _relayActor.Tell(new NodeProtocol.NodesChanged([Source(_toSource.Port)]));
        await Until(() => _relay.Report().Offers.Count == 1);
        var port = _relay.Report().Offers[0].Port;
        _toSource.Cut();
        await Until(() => _relay.Report().Offers.Count == 0);

        await Until(() => RefusalOf(port) == RefusalReason.UnknownImage);
        _toSource.Mend();
        await Until(() => RefusalOf(port) is null);
    }

    private static async Task Until(Func<bool> holds)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, "it never held");
            await Task.Delay(10);
        }
    }

    private RefusalReason? RefusalOf(int port)
    {
        try
        {
            using var client = PageClient.Connect(new PageClientOptions
            {
                Server = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port),
                Image = ImageManifest.IdentityOf(_image.Identity),
            });
            return null;
        }
        catch (PageConnectionException e)
        {
            return e.Refusal.Reason;
        }
    }

    private unsafe PageDigest DigestOf(ulong gfn)
    {
        var scratch = stackalloc byte[Page.Size];
        var page = _image.Read(new Gfn(gfn), scratch);
        return page == null ? PageDigest.Zero : PageDigest.Of(page);
    }

    private ClusterNode Source(int port) => Node(1, NodeRoles.Source, port);

    private ClusterNode Fetcher() => Node(2, NodeRoles.Fetcher, _relay.Report().Offers[0].Port);

    private ClusterNode Node(int at, string role, int port) => new(
        new Address("akka.tcp", "test", "127.0.0.1", at), [role], MemberState.Up, IsReachable: true,
        new NodeReport([new SourceListing(_image.Identity, Pages, "127.0.0.1", port, "image")]));

    private sealed class Silent : UntypedActor
    {
        protected override void OnReceive(object message)
        {
        }
    }
}
