using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Simulation;

namespace Userfault.Bench.Simulation;

/// <summary>
/// How fast the simulator is: plain messages on one core; 512 vCPUs with 64 MiB each, demand faults alone; a sparse
/// guest of 1 TiB.
/// </summary>
internal static class SimulationRate
{
    public static int Run(string[] args)
    {
        switch (args.FirstOrDefault())
        {
            case "messages":
                Messages();
                return 0;
            case "vcpus":
                Vcpus(Number(args, 1, 512), Number(args, 2, 16384), args.Contains("tailed"));
                return 0;
            case "sparse":
                Sparse((ulong)Number(args, 1, 1024));
                return 0;
            default:
                Console.Error.WriteLine(
                    "simulation: give messages, vcpus [vcpus [pages a vCPU [tailed]]], or sparse [GiB]"
                );
                return 2;
        }
    }

    // Chains of messages through actors that do nothing: what a step costs.
    private static void Messages()
    {
        const int actors = 64;
        const int each = 40_000;
        for (var round = 0; round < 3; round++)
        {
            using var world = new SimWorld(1);
            var system = world.CreateSystem("rate");
            var ring = Enumerable
                .Range(0, actors)
                .Select(i => system.ActorOf(Props.Create(() => new Link()), $"link-{i}"))
                .ToArray();
            for (var i = 0; i < actors; i++)
                ring[i].Tell(ring[(i + 1) % actors]);
            var (watch, start) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
            foreach (var actor in ring)
                actor.Tell(new Token(each));
            world.RunFor(TimeSpan.FromSeconds(1));
            var cpu = (Environment.CpuUsage.TotalTime - start).TotalSeconds;
            Console.WriteLine(
                $"{world.Messages:N0} messages, {world.Messages / watch.Elapsed.TotalSeconds / 1e6:0.00} M/s, "
                    + $"{world.Messages / cpu / 1e6:0.00} M a second of processor time, steps {world.Steps:N0}, hash "
                    + $"{world.Hash:x16}"
            );
        }
    }

    private static void Vcpus(int vcpus, int pagesEach, bool isTailed)
    {
        var pages = (ulong)vcpus * (ulong)pagesEach;
        var workload = new PatternWorkload(
            new PatternSettings(PatternKind.Stride, vcpus, pages)
            {
                InstructionsPerSecond = 1_000_000_000,
                WriteShare = 0.3,
            }
        );
        Migrate(
            $"{vcpus} vCPUs, {pagesEach >> 8} MiB each, {(isTailed ? "long-tailed" : "constant")} latency",
            pages,
            workload,
            new SimServerSettings
            {
                Latency = isTailed ? SimLatency.LongTailed(30_000) : SimLatency.Constant(30_000),
                BitsPerSecond = 100_000_000_000,
            }
        );
    }

    // Some popular pages and many that are touched once, scattered over all of the guest: the worst case for tables.
    private static void Sparse(ulong gib)
    {
        var pages = gib << (30 - Page.Shift);
        var workload = new PatternWorkload(
            new PatternSettings(PatternKind.Zipf, 64, pages)
            {
                Overlapping = true,
                AccessesPerVcpu = 10_000,
                InstructionsPerSecond = 1_000_000_000,
            }
        );
        Migrate($"{gib} GiB, sparse", pages, workload, new SimServerSettings { Latency = SimLatency.Constant(30_000) });
    }

    private static void Migrate(string name, ulong pages, IWorkload workload, SimServerSettings server)
    {
        var (watch, start) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        using var world = new SimWorld(1, new SimOptions { WatchesEscapes = false });
        var image = new TagImage(pages, 1);
        var vm = new SimVm(
            world,
            world.CreateSystem("destination"),
            new SimVmSettings
            {
                Image = image,
                Workload = workload,
                Migration = new MigrationSettings
                {
                    Mode = FaultMode.Userfault,
                    Background = BackgroundOrder.None,
                    ProgressNs = 0,
                    SampleNs = 0,
                    FaultBatch = 1,
                },
            }
        );
        vm.AddFetcher(1, new SimPageServer(world, image, server));
        vm.Start();
        var report =
            vm.RunToReport(TimeSpan.FromHours(1))
            ?? throw new InvalidOperationException($"no report: {string.Join("; ", world.Log)}");
        var seconds = watch.Elapsed.TotalSeconds;
        var cpu = (Environment.CpuUsage.TotalTime - start).TotalSeconds;
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(
            $"{name}: {report.Slots.DemandPlaced:N0} pages on demand in {seconds:0.0} s ({cpu:0.0} s of processor "
                + $"time), "
                + $"{world.Messages:N0} messages ({world.Messages / seconds / 1e6:0.00} M/s, "
                + $"{world.Messages / cpu / 1e6:0.00} M a second of processor time), virtual time "
                + $"{world.NowNs / 1e9:0.000} s, "
                + $"peak memory {process.PeakWorkingSet64 / (1L << 30):0.0} GiB ({process.PeakWorkingSet64 >> 20} "
                + $"MiB), hash {world.Hash:x16}"
                + (report.IsVerified ? "" : $"  NOT VERIFIED: {report.Reason}")
        );
    }

    private static int Number(string[] args, int index, int otherwise) =>
        args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;

    private sealed record Token(int Left);

    private sealed class Link : UntypedActor
    {
        private IActorRef _next = ActorRefs.Nobody;

        protected override void OnReceive(object message)
        {
            if (message is IActorRef next)
                _next = next;
            else if (message is Token { Left: > 0 } token)
                _next.Tell(token with { Left = token.Left - 1 });
        }
    }
}
