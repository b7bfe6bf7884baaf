using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Akka.Actor;
using Akka.Configuration;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Bench.Actors;

/// <summary>
/// Faults resolved a second with content, by all actors of the fault path, beside the rate at which one core copies the
/// same pages in the same order in the same process: `faults [--pages N] [--vcpus 8,64,512] [--latency-us N] [--rounds
/// N] [--order sequential|random|both] [--loops 1|2]`: with one loop all actors share a thread, as the command has it
/// on two cores with a latency or few vCPUs.
/// </summary>
internal static unsafe class FaultRate
{
    internal const string Dispatchers = """
        userfault-vcpus { type = "Userfault.Actors.EventLoopDispatcherConfigurator, Userfault.Actors"
          throughput = 100
          spin = auto }
        userfault-memslots { type = "Userfault.Actors.EventLoopDispatcherConfigurator, Userfault.Actors"
          throughput = 100
          spin = auto }
        akka.loglevel = WARNING
        """;

    private static bool OneLoop;
    private static int Loops;

    public static int Run(string[] args)
    {
        var pages = (ulong)Arguments.Number(args, "--pages", 65536);
        var latencyNs = Arguments.Number(args, "--latency-us", 0) * 1000L;
        var vcpus = Arguments
            .Text(args, "--vcpus", "8,64,512")
            .Split(',')
            .Select(v => int.Parse(v, CultureInfo.InvariantCulture))
            .ToArray();
        // As the command has it, unless it is said.
        Loops = Arguments.Number(args, "--loops", 0);
        var rounds = Arguments.Number(args, "--rounds", 3);
        var path = Path.Combine(Path.GetTempPath(), $"userfault-faults-{Environment.ProcessId}.img");
        try
        {
            MakeImage(path, pages);
            using var image = MemoryImages.OpenRaw(path);
            foreach (var isRandom in Orders(args))
            {
                // The compiler works beside the first run, and the image comes into memory.
                _ = Measure(image, pages, vcpus[^1], isRandom, latencyNs);
                for (var round = 0; round < rounds; round++)
                {
                    foreach (var count in vcpus)
                        Console.WriteLine(Measure(image, pages, count, isRandom, latencyNs));
                }
            }
        }
        finally
        {
            File.Delete(path);
        }

        return 0;
    }

    private static string Measure(FileImage image, ulong pages, int vcpus, bool isRandom, long latencyNs)
    {
        var free = Environment.ProcessorCount - (latencyNs > 0 ? 1 : 0);
        OneLoop = Loops == 1 || (Loops == 0 && (free < 2 || (Environment.ProcessorCount < 4 && vcpus < 32)));
        var workload = new OncePerPage(pages, vcpus, isRandom);
        using var memory = new ByteGuestMemory(pages);
        using var ledger = new StampLedger(pages);
        for (ulong i = 0; i < pages; i++)
            memory.PageAt(new MemoryPage(i))[0] = 0xff;
        var copy = CopyRate(image, memory, workload);
        for (ulong i = 0; i < pages; i++)
            memory.PageAt(new MemoryPage(i))[0] = 0xff;

        var (report, elapsed) = Migrate(new GuestContent(image, memory, ledger), workload, latencyNs);
        var rate = report.Slots.DemandPlaced / elapsed.TotalSeconds;
        return $"{(isRandom ? "random    " : "sequential")} {vcpus, 4} vCPUs: {rate / 1e6:0.000} M faults/s, one "
            + $"core copies {copy / 1e6:0.000} M pages/s, "
            + $"ratio {100 * rate / copy:0} %; wait p50 {report.Latency.PercentileNs(50) / 1e3:0.0} us, p99 "
            + $"{report.Latency.PercentileNs(99) / 1e3:0.0} us"
            + (report.IsVerified ? "" : $"  NOT VERIFIED: {report.Reason}");
    }

    private static double CopyRate(FileImage image, ByteGuestMemory memory, OncePerPage workload)
    {
        var order = workload.Interleaved().ToArray();
        var watch = Stopwatch.StartNew();
        foreach (var page in order)
        {
            Buffer.MemoryCopy(
                image.Read(new MemoryPage(page), null),
                memory.PageAt(new MemoryPage(page)),
                Page.Size,
                Page.Size
            );
        }

        return order.Length / watch.Elapsed.TotalSeconds;
    }

    private static (MigrationReport Report, TimeSpan Elapsed) Migrate(
        GuestContent content,
        OncePerPage workload,
        long latencyNs
    )
    {
        using var pump = new SpinningPump();
        using var system = ActorSystem.Create("bench", ConfigurationFactory.ParseString(Dispatchers));
        var time = EventLoopDispatcher.TimeOf(system, OneLoop ? "userfault-memslots" : "userfault-vcpus")!;
        var settings = new MigrationSettings
        {
            Mode = FaultMode.Userfault,
            Background = BackgroundOrder.None,
            ProgressNs = 0,
            SampleNs = 0,
        };
        var link = new LinkSettings(latencyNs);
        var pool = system.ActorOf(
            FetcherPoolActor.Props(settings.Fetcher, time: time).WithDispatcher("userfault-memslots")
        );
        pool.Tell(
            new FetcherPoolProtocol.AddFetcher(
                1,
                [
                    () =>
                    {
                        var source = new LocalPageSource(
                            content.Image,
                            new LocalSourceSettings { Link = link, RememberedContents = 0 },
                            pump.Wake
                        );
                        if (!link.IsInstant)
                            pump.Add(source);
                        return source;
                    },
                ]
            )
        );
        var plan = new MigrationPlan
        {
            Settings = settings,
            Content = content,
            Workload = workload,
            Time = time,
            Regions = [new GfnRange(new Gfn(0), content.Image.Pages)],
            VcpuDispatcher = OneLoop ? "userfault-memslots" : "userfault-vcpus",
            MemslotDispatcher = "userfault-memslots",
        };
        using var done = new BlockingObserver();
        var observer = system.ActorOf(Props.Create(() => new BlockingObserver.Actor(done)));
        system
            .ActorOf(MigrationActor.Props(plan, pool, observer).WithDispatcher("userfault-memslots"))
            .Tell(MigrationProtocol.Start.Instance);
        var report = done.Wait();
        system.Terminate().GetAwaiter().GetResult();
        // From the guest's start until its last access: every page was touched once.
        return (report, TimeSpan.FromMicroseconds(report.GuestNs / 1e3));
    }

    internal static void MakeImage(string path, ulong pages)
    {
        using var file = File.Create(path);
        var chunk = new byte[1 << 20];
        ulong value = 7;
        for (ulong written = 0; written < pages << Page.Shift; written += (ulong)chunk.Length)
        {
            foreach (ref var word in MemoryMarshal.Cast<byte, ulong>(chunk.AsSpan()))
                word = value += 0x9E3779B97F4A7C15;
            file.Write(chunk);
        }
    }

    private static IEnumerable<bool> Orders(string[] args) =>
        Arguments.Text(args, "--order", "both") switch
        {
            "sequential" => [false],
            "random" => [true],
            _ => [false, true],
        };
}
