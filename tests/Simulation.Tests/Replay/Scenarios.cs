using Akka.Actor;
using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation.Tests;

/// <summary>Runs in which much happens by chance; each is the hash of a seed.</summary>
internal static partial class Scenarios
{
    private static readonly Dictionary<string, Func<ulong, ulong>> All = Make();

    /// <summary>
    /// Those that are held against each other across processes; clusters are among them where they are compiled.
    /// </summary>
    public static IReadOnlyList<string> Replayed =>
        [.. All.Keys.Where(name => name is "vm" or "cluster" or "swarm" or "swarm-nodes")];

    public static ulong Run(string scenario, ulong seed) =>
        All.TryGetValue(scenario, out var run)
            ? run(seed)
            : throw new ArgumentException($"no scenario {scenario}", nameof(scenario));

    private static Dictionary<string, Func<ulong, ulong>> Make()
    {
        var all = new Dictionary<string, Func<ulong, ulong>>
        {
            ["chat"] = seed => Chat.Run(seed).Hash,
            ["vm"] = Vm,
            ["swarm"] = static seed => Swarm(seed, isClustered: false),
            // As a wrong program would: what it does hangs on the process.
            ["unseeded"] = Unseeded,
        };
        AddClusters(all);
        return all;
    }

    static partial void AddClusters(Dictionary<string, Func<ulong, ulong>> all);

    // A plan as the swarm's seeds have it, with every kind of fault.
    private static ulong Swarm(ulong seed, bool isClustered)
    {
        var outcome = SwarmRun.Of(PlanGenerator.Of(seed, Enum.GetValues<FaultType>().ToHashSet(), isClustered));
        return outcome.Passed ? outcome.Hash : throw new InvalidOperationException($"{outcome.Violation}");
    }

    private static ulong Vm(ulong seed)
    {
        using var world = new SimWorld(seed);
        var image = new TagImage(2048, seed, zeroShare: 0.2);
        var system = world.CreateSystem("destination");
        var faults = new SimSourceFaults
        {
            Short = 0.01,
            WrongPage = 0.01,
            Duplicate = 0.05,
            Late = 0.05,
            Never = 0.02,
        };
        var servers = Enumerable
            .Range(0, 3)
            .Select(i => new SimPageServer(
                world,
                image,
                new SimServerSettings
                {
                    Name = $"source-{i}",
                    Latency = SimLatency.LongTailed(30_000),
                    BitsPerSecond = 10_000_000_000,
                    Faults = faults,
                }
            ))
            .ToArray();
        var vm = new SimVm(
            world,
            system,
            new SimVmSettings
            {
                Image = image,
                Migration = new MigrationSettings
                {
                    Mode = FaultMode.Both,
                    ProgressNs = 0,
                    HostAccesses = 200,
                    Memslot = new MemslotSettings { UffdReaders = 2 },
                    SlotPages = 700,
                },
                Workload = new PatternWorkload(
                    new PatternSettings(PatternKind.Zipf, 16, 2048)
                    {
                        AccessesPerVcpu = 500,
                        Overlapping = true,
                        Seed = seed,
                    }
                ),
            }
        );
        vm.AddFetcher(1, servers[0], servers[1]);
        vm.AddFetcher(2, servers[2], servers[1]);
        vm.Start();
        world.After(2_000_000, "death", servers[0].Kill);
        var report = vm.RunToReport(TimeSpan.FromMinutes(10));
        if (report is not { IsVerified: true })
            throw new InvalidOperationException($"{report?.Reason}: {string.Join("; ", world.Log)}");
        return world.Hash ^ (ulong)report.Vcpus.Sum(v => v.StallNs);
    }

    private static ulong Unseeded(ulong seed)
    {
        using var world = new SimWorld(seed);
        var system = world.CreateSystem("unseeded");
        var ear = system.ActorOf(Props.Create(() => new Deaf()));
        world.Time.TellAt("process".GetHashCode(StringComparison.Ordinal) & 0xFFFF, ear, "now");
        world.RunFor(TimeSpan.FromSeconds(1));
        return world.Hash;
    }

    private sealed class Deaf : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            // Nothing to do: the time of the message is what counts.
        }
    }
}
