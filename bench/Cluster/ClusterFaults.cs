using System.Globalization;
using System.Net;
using Akka.Actor;
using Akka.Configuration;
using Userfault.Actors;
using Userfault.Bench.Actors;
using Userfault.Bench.DataPlane;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Bench.Cluster;

/// <summary>
/// Pages from a source in another process to a destination's guest memory through all of its actors, over TCP loopback:
/// `cluster-faults [--vcpus 64] [--pages 65536] [--rounds 3]`. Demand alone at full speed; the same at half the rate, which
/// gives the latency; and with background push.
/// </summary>
internal static class ClusterFaults
{
    public static int Run(string[] args)
    {
        var pages = (ulong)FaultRate.Number(args, "--pages", 65536);
        var vcpus = FaultRate.Number(args, "--vcpus", 64);
        var rounds = FaultRate.Number(args, "--rounds", 3);
        var path = Path.Combine(Path.GetTempPath(), $"userfault-cluster-faults-{Environment.ProcessId}.img");
        try
        {
            FaultRate.MakeImage(path, pages);
            using var image = MemoryImages.OpenRaw(path);
            using var server = ServerProcess.Start(Environment.ProcessPath!, DataPlaneBench.Self("children", "data-plane-server", path));
            for (var round = 0; round < rounds; round++)
            {
                var (demand, text) = Measure(image, server, vcpus, BackgroundOrder.None, pagesPerSecond: 0);
                Console.WriteLine($"demand alone  {text}");
                Console.WriteLine($"at half load  {Measure(image, server, vcpus, BackgroundOrder.None, demand / 2).Text}");
                Console.WriteLine($"with push     {Measure(image, server, vcpus, BackgroundOrder.Sequential, pagesPerSecond: 0).Text}");
                Console.WriteLine($"push, half    {Measure(image, server, vcpus, BackgroundOrder.Sequential, demand / 2).Text}");
            }
        }
        finally
        {
            File.Delete(path);
        }

        return 0;
    }

    private static (double PagesPerSecond, string Text) Measure(
        FileImage image, ServerProcess server, int vcpus, BackgroundOrder background, double pagesPerSecond)
    {
        var spacingNs = pagesPerSecond > 0 ? (long)(vcpus * 1e9 / pagesPerSecond) : 0;
        var workload = new OncePerPage(image.Pages, vcpus, isRandom: true, spacingNs);
        using var memory = new ByteGuestMemory(image.Pages);
        using var ledger = new StampLedger(image.Pages);
        unsafe
        {
            for (ulong i = 0; i < image.Pages; i++) memory.PageAt(new Gfn(i))[0] = 0xff;
        }

        var report = Migrate(new GuestContent(image, memory, ledger), workload, server, background);
        var rate = image.Pages / (report.CompletionNs / 1e9);
        return (rate, string.Create(
            CultureInfo.InvariantCulture,
            $"{vcpus} vCPUs: {rate / 1e3,6:0} k pages/s, {rate * Page.Size / 1e9,5:0.00} GB/s, {report.Slots.DemandPlaced} on demand; " +
            $"wait p50 {report.Latency.PercentileNs(50) / 1e3:0} us, p99 {report.Latency.PercentileNs(99) / 1e3:0} us; " +
            $"{report.Fetches.Requests} requests{(report.IsVerified ? "" : $"  NOT VERIFIED: {report.Reason}")}"));
    }

    private static MigrationReport Migrate(GuestContent content, OncePerPage workload, ServerProcess server, BackgroundOrder background)
    {
        using var pump = new SpinningPump();
        using var system = ActorSystem.Create("bench", ConfigurationFactory.ParseString(FaultRate.Dispatchers));
        using var client = PageClient.Connect(new PageClientOptions
        {
            Server = new IPEndPoint(IPAddress.Loopback, server.Port),
            Image = content.Image.Identity,
        });
        var settings = new MigrationSettings { Mode = FaultMode.Userfault, Background = background, ProgressNs = 0, SampleNs = 0 };
        var time = new PumpedTime(pump);
        var pool = system.ActorOf(FetcherPoolActor.Props(settings.Fetcher, time: time).WithDispatcher("userfault-vcpus"));
        pool.Tell(new FetcherPoolProtocol.AddFetcher(1, [new SharedPageSource(client).Open]));
        var plan = new MigrationPlan
        {
            Settings = settings,
            Content = content,
            Workload = workload,
            Time = time,
            Regions = [new GfnRange(new Gfn(0), content.Image.Pages)],
            VcpuDispatcher = "userfault-vcpus",
            MemslotDispatcher = "userfault-memslots",
        };
        using var done = new BlockingObserver();
        var observer = system.ActorOf(Props.Create(() => new BlockingObserver.Actor(done)));
        system.ActorOf(MigrationActor.Props(plan, pool, observer).WithDispatcher("userfault-memslots")).Tell(MigrationProtocol.Start.Instance);
        var report = done.Wait();
        system.Terminate().GetAwaiter().GetResult();
        return report;
    }
}
