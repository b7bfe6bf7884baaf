using System.Collections.Concurrent;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Nodes.Tests;

/// <summary>
/// A whole migration over the page data plane, whose links to two sources are cut and mended while it runs: all actors of
/// a destination, real servers, real sockets, one process.
/// </summary>
public sealed class CutLinkTests : IDisposable
{
    private const ulong Pages = 16384;

    private readonly ActorSystem _system = ActorSystem.Create("cut", "akka.loglevel = ERROR");
    private readonly SyntheticImage _image = new(new SyntheticSettings(Pages, ZeroShare: 0, DuplicateShare: 0, Seed: 9));
    private readonly ByteGuestMemory _memory = new(Pages);
    private readonly StampLedger _ledger = new(Pages);
    private readonly PageServer[] _servers;
    private readonly Link[] _links;
    private readonly BlockingCollection<object> _news = [];

    public CutLinkTests()
    {
        _servers = [.. Enumerable.Range(0, 2).Select(_ => new PageServer(new PageServerOptions(), [new PageOffer(_image)]))];
        _links = [.. _servers.Select(server => new Link(server.Endpoint))];
    }

    public void Dispose()
    {
        _system.Terminate().Wait();
        foreach (var link in _links) link.Dispose();
        foreach (var server in _servers) server.Dispose();
        _memory.Dispose();
        _ledger.Dispose();
        _image.Dispose();
        _news.Dispose();
    }

    [Fact]
    public void Links_cut_and_mended_cost_no_page_and_nothing_is_fetched_twice_beyond_what_was_in_flight()
    {
        var settings = new MigrationSettings
        {
            // Nothing is asked for twice but for what was cut: the links themselves are slow at times.
            Fetcher = new FetchSettings { WindowPages = 256, BackgroundWindowPages = 128, RequestPages = 32, Hedge = false, TimeoutNs = 0 },
            BackgroundWindowPages = 256,
            ProgressNs = 1_000_000,
            SampleNs = 1_000_000,
        };
        foreach (var link in _links) Allow(link, 1500);
        Start(settings);

        // One link goes and comes back, then both at once: the guest waits, and goes on when one is back.
        UntilPresent(1000);
        _links[0].Cut();
        Allow(_links[1], 4000);
        UntilPresent(3000);
        _links[0].Mend();
        foreach (var link in _links) Allow(link, 2500);
        UntilPresent(5000);
        foreach (var link in _links) link.Cut();
        Until<MigrationProgress>(p => p.State == MigrationState.Paused);
        _links[1].AllowUpTo(long.MaxValue);
        _links[1].Mend();

        var report = Until<MigrationReport>(_ => true);
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal(Pages, report.PagesPresent);
        Assert.All(report.Vcpus, vcpu => Assert.Equal(4000, vcpu.Accesses));
        Assert.Equal((long)Pages, (long)(report.Slots.DemandPlaced + report.Slots.BackgroundPlaced));
        // What was asked for and lost with a connection: three were cut, and none had more in flight than its fetcher's window.
        var again = report.Fetches.DemandPages + report.Fetches.BackgroundPages - (long)Pages;
        Assert.InRange(again, 0L, 3L * settings.Fetcher.WindowPages);
        Assert.Equal(0, report.Fetches.Bad);
    }

    private void Start(MigrationSettings settings)
    {
        var time = new SchedulerTime(_system.Scheduler);
        var pool = _system.ActorOf(FetcherPoolActor.Props(settings.Fetcher, time: time));
        var links = _system.ActorOf(PageLinksActor.Props(PageLinksSettings.IntoPool(
            pool, new PageClientOptions { Server = _servers[0].Endpoint, Image = _image.Identity }) with
        { RetryAfter = TimeSpan.FromMilliseconds(20) }));
        links.Tell(new NodeProtocol.NodesChanged([.. _links.Select((link, i) => new ClusterNode(
            new Address("akka.tcp", "test", "127.0.0.1", 1 + i), [NodeRoles.Source], MemberState.Up, IsReachable: true,
            new NodeReport([new SourceListing(_image.Identity, Pages, "127.0.0.1", link.Port, "image")])))]));
        Assert.True(SpinWait.SpinUntil(
            () => links.Ask<PageLinksProtocol.Links>(PageLinksProtocol.GetLinks.Instance).Result.Open.Count == 2, TimeSpan.FromSeconds(20)));
        var plan = new MigrationPlan
        {
            Settings = settings,
            Content = new GuestContent(_image, _memory, _ledger),
            Workload = new PatternWorkload(new PatternSettings(PatternKind.Random, 4, Pages)
            {
                AccessesPerVcpu = 4000,
                InstructionsPerSecond = 0,
                Overlapping = true,
            }),
            Time = time,
            Regions = [new GfnRange(new Gfn(0), Pages)],
        };
        var observer = _system.ActorOf(Props.Create(() => new Observer(_news)));
        _system.ActorOf(MigrationActor.Props(plan, pool, observer)).Tell(MigrationProtocol.Start.Instance);
    }

    // Together the links never let all pages through before they are cut for the last time.
    private static void Allow(Link link, long pages) => link.AllowUpTo(link.Bytes + (pages * (Page.Size + 32)));

    private void UntilPresent(ulong pages) => Until<MigrationProgress>(p => p.PagesPresent >= pages);

    private T Until<T>(Func<T, bool> wanted)
    {
        while (true)
        {
            Assert.True(_news.TryTake(out var news, TimeSpan.FromSeconds(60)), $"no {typeof(T).Name} came that is wanted");
            if (news is T found && wanted(found)) return found;
            Assert.False(news is MigrationReport, (news as MigrationReport)?.Reason ?? "the migration was over before its links were cut");
        }
    }

    private sealed class Observer(BlockingCollection<object> news) : UntypedActor
    {
        protected override void OnReceive(object message) => news.Add(message);
    }
}
