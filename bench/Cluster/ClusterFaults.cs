using System.Globalization;
using System.Net;
using Akka.Actor;
using Akka.Configuration;
using Userfault.Actors;
using Userfault.Bench.Actors;
using Userfault.Bench.DataPlane;
using Userfault.DataPlane;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Bench.Cluster;

/// <summary>
/// Pages from a source in another process to a destination's guest memory through all of its actors, over TCP loopback:
/// `cluster-faults [--vcpus 64] [--pages 65536] [--rounds 3] [--loops 1] [--only demand|push] [--fresh 1] [--load 0]
/// [--receiver 1] [--window 256] [--chunk 64]`. Each round:
/// what the data plane alone does with as many pages outstanding, which bounds the rest; demand alone at full speed; at
/// half that rate, which gives the latency; and both with background push. With one loop all actors share a thread that
/// parks at once and receives pages itself, as the command has it on two cores, unless a thread of the data plane's is
/// to receive. Guest memory has been touched before, unless it is to be fresh. With a load, demand alone runs again
/// beside so many busy processes.
/// </summary>
internal static class ClusterFaults
{
    private const string SharedLoop = """
        userfault-shared { type = "Userfault.Actors.EventLoopDispatcherConfigurator, Userfault.Actors"
          throughput = 100
          spin = 0 }

        """;

    private const int PushedRequest = 64;

    public static int Run(string[] args)
    {
        var pages = (ulong)Arguments.Number(args, "--pages", 65536);
        var vcpus = Arguments.Number(args, "--vcpus", 64);
        var rounds = Arguments.Number(args, "--rounds", 3);
        var hasOneLoop = Arguments.Number(args, "--loops", 1) == 1;
        var path = Path.Combine(Path.GetTempPath(), $"userfault-cluster-faults-{Environment.ProcessId}.img");
        try
        {
            FaultRate.MakeImage(path, pages);
            using var image = MemoryImages.OpenRaw(path);
            using var server = ServerProcess.Start(
                Environment.ProcessPath!,
                DataPlaneBench.Self("children", "data-plane-server", path)
            );
            var setup = new Setup(image, server, vcpus, hasOneLoop, IsFresh: Arguments.Number(args, "--fresh", 0) == 1)
            {
                Window = Arguments.Number(args, "--window", new MigrationSettings().BackgroundWindowPages),
                Chunk = Arguments.Number(args, "--chunk", new MigrationSettings().BackgroundChunkPages),
                ReceivesOnLoop = Arguments.Number(args, "--receiver", 0) == 0,
            };
            var only = Arguments.Text(args, "--only", "");
            var load = Arguments.Number(args, "--load", 0);
            // Compiles everything, so that the rounds are alike.
            foreach (var order in new[] { BackgroundOrder.None, BackgroundOrder.Sequential })
            {
                for (var i = 0; i < 3; i++)
                    Measure(setup, order, spacingNs: 0);
            }

            for (var round = 0; round < rounds; round++)
            {
                Round(setup, only);
                if (load > 0)
                    Loaded(setup, load);
            }
        }
        finally
        {
            File.Delete(path);
        }

        return 0;
    }

    private static void Round(Setup setup, string only)
    {
        var single = only == "push" ? 1 : Bound(setup, setup.Vcpus, pagesPerRequest: 1);
        var runs = only == "demand" ? 1 : Bound(setup, outstanding: 8, PushedRequest);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"data plane    {single / 1e3, 6:0} k pages/s one by one, {runs * Page.Size / 1e9, 5:0.00} GB/s in "
                    + $"runs of {PushedRequest}"
            )
        );
        if (only == "push")
        {
            for (var i = 0; i < 4; i++)
                Full(setup, BackgroundOrder.Sequential, "with push    ", runs);
            return;
        }

        var demand = Full(setup, BackgroundOrder.None, "demand alone ", single);
        if (only == "demand")
            return;
        Half(setup, BackgroundOrder.None, "at half load ", demand);
        Full(setup, BackgroundOrder.Sequential, "with push    ", runs);
        Half(setup, BackgroundOrder.Sequential, "push, half   ", demand);
    }

    private static void Loaded(Setup setup, int count)
    {
        var undisturbed = Rate(setup, Measure(setup, BackgroundOrder.None, spacingNs: 0));
        using var load = new BusyProcesses(count);
        Full(setup, BackgroundOrder.None, $"beside {count} loops", undisturbed, "the same without");
    }

    private static double Bound(Setup setup, int outstanding, int pagesPerRequest) =>
        PageLoad
            .Run(setup.Server, setup.Image.Identity, (int)setup.Image.Pages, outstanding, pagesPerRequest, seconds: 1)
            .PagesPerSecond;

    private static double Full(
        Setup setup,
        BackgroundOrder background,
        string name,
        double bound,
        string of = "the data plane"
    )
    {
        var report = Measure(setup, background, spacingNs: 0);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name} {Figures(setup, report)}; {100 * Rate(setup, report) / bound:0} % of {of}; "
                    + $"processor a page: source {setup.SourceUs:0.0} us, destination {setup.OwnUs:0.0} us; "
                    + $"{setup.AllocatedBytes:0} bytes allocated a page"
            )
        );
        return Rate(setup, report);
    }

    private static void Half(Setup setup, BackgroundOrder background, string name, double demand)
    {
        // A vCPU's next access is due the spacing after the last wait's end, so the wait itself is taken off.
        var intervalNs = (long)(setup.Vcpus * 2e9 / demand);
        var report = Measure(setup, background, Math.Max(intervalNs / 4, intervalNs - setup.WaitNs));
        if (background == BackgroundOrder.None)
            setup.WaitNs = report.Latency.PercentileNs(50);
        var faults = report.Slots.DemandPlaced / (report.GuestNs / 1e9);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{name} {Figures(setup, report)}; {faults / 1e3:0} k faults/s")
        );
    }

    private static double Rate(Setup setup, MigrationReport report) => setup.Image.Pages / (report.CompletionNs / 1e9);

    private static string Figures(Setup setup, MigrationReport report)
    {
        var rate = Rate(setup, report);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{rate / 1e3, 6:0} k pages/s, {rate * Page.Size / 1e9, 5:0.00} GB/s, {report.Slots.DemandPlaced} on "
                + $"demand in "
                + $"{report.Fetches.Requests} requests; wait p50 {report.Latency.PercentileNs(50) / 1e3:0} us, p99 "
                + $"{report.Latency.PercentileNs(99) / 1e3:0} us"
                + $"{(report.IsVerified ? "" : $"  NOT VERIFIED: {report.Reason}")}"
        );
    }

    private static MigrationReport Measure(Setup setup, BackgroundOrder background, long spacingNs)
    {
        var image = setup.Image;
        var workload = new OncePerPage(image.Pages, setup.Vcpus, isRandom: true, spacingNs);
        using var memory = new ByteGuestMemory(image.Pages);
        using var ledger = new StampLedger(image.Pages);
        unsafe
        {
            for (ulong i = 0; i < image.Pages && !setup.IsFresh; i++)
                memory.PageAt(new MemoryPage(i))[0] = 0xff;
        }

        return Migrate(setup, new GuestContent(image, memory, ledger), workload, background);
    }

    private static MigrationReport Migrate(
        Setup setup,
        GuestContent content,
        OncePerPage workload,
        BackgroundOrder background
    )
    {
        var (vcpus, memslots) = setup.HasOneLoop
            ? ("userfault-shared", "userfault-shared")
            : ("userfault-vcpus", "userfault-memslots");
        using var system = ActorSystem.Create(
            "bench",
            ConfigurationFactory.ParseString(SharedLoop + FaultRate.Dispatchers)
        );
        using var client = PageClient.Connect(
            new PageClientOptions
            {
                Server = new IPEndPoint(IPAddress.Loopback, setup.Server.Port),
                Image = content.Image.Identity,
                Loop = setup.ReceivesOnLoop ? EventLoopDispatcher.LoopOf(system, memslots) : null,
            }
        );
        var settings = new MigrationSettings
        {
            Mode = FaultMode.Userfault,
            Background = background,
            BackgroundWindowPages = setup.Window,
            BackgroundChunkPages = setup.Chunk,
            ProgressNs = 0,
            SampleNs = 0,
        };
        var time = EventLoopDispatcher.TimeOf(system, vcpus)!;
        var pool = system.ActorOf(FetcherPoolActor.Props(settings.Fetcher, time: time).WithDispatcher(memslots));
        pool.Tell(
            new FetcherPoolProtocol.AddFetcher(
                1,
                [new SharedPageSource(new ExpectingSource(client, content.Memory)).Open]
            )
        );
        var plan = new MigrationPlan
        {
            Settings = settings,
            Content = content,
            Workload = workload,
            Time = time,
            Regions = MigrationPlan.RegionsOf(content.Image),
            VcpuDispatcher = vcpus,
            MemslotDispatcher = memslots,
        };
        using var done = new BlockingObserver();
        var observer = system.ActorOf(Props.Create(() => new BlockingObserver.Actor(done)));
        var migration = system.ActorOf(MigrationActor.Props(plan, pool, observer).WithDispatcher(memslots));
        var (sourceBefore, ownBefore) = (setup.Server.ProcessorTime, Environment.CpuUsage.TotalTime);
        var allocatedBefore = GC.GetTotalAllocatedBytes();
        migration.Tell(MigrationProtocol.Start.Instance);
        var report = done.Wait();
        setup.AllocatedBytes = (double)(GC.GetTotalAllocatedBytes() - allocatedBefore) / setup.Image.Pages;
        setup.SourceUs = (setup.Server.ProcessorTime - sourceBefore).TotalMicroseconds / setup.Image.Pages;
        setup.OwnUs = (Environment.CpuUsage.TotalTime - ownBefore).TotalMicroseconds / setup.Image.Pages;
        system.Terminate().GetAwaiter().GetResult();
        return report;
    }

    private sealed record Setup(FileImage Image, ServerProcess Server, int Vcpus, bool HasOneLoop, bool IsFresh)
    {
        /// <summary>Maximum pages of a push in flight.</summary>
        public int Window { get; init; }

        /// <summary>Pages of one request of a push.</summary>
        public int Chunk { get; init; }

        /// <summary>Does the actors' loop receive, and not a thread of the client's?</summary>
        public bool ReceivesOnLoop { get; init; }

        /// <summary>How long a fault waits at half load, as far as it is known.</summary>
        public long WaitNs { get; set; }

        /// <summary>Processor time of the source's process a page of the last migration, in us.</summary>
        public double SourceUs { get; set; }

        /// <summary>The same of this process, the check of every page at the end included.</summary>
        public double OwnUs { get; set; }

        /// <summary>Managed bytes allocated a page of the last migration.</summary>
        public double AllocatedBytes { get; set; }
    }
}
