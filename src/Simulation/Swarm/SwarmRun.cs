using Akka.Actor;
using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Simulation.Cluster;

namespace Userfault.Simulation;

/// <summary>
/// Runs one plan: a migration with the same actors as the command, in a world of its own, watched by checkers. First a
/// safety phase, in which the plan's faults happen; then a liveness phase without faults, in which everything must
/// complete.
/// </summary>
public static class SwarmRun
{
    // Far more than any run needs that completes.
    private const long MostSteps = 3_000_000;

    // A mask: whether everything has settled is not checked after every step.
    private const long StepsBetweenLooks = 63;

    /// <summary>All checkers.</summary>
    public static IReadOnlyList<Checker> AllCheckers() =>
        [
            new ReadChecker(),
            new ClearedChecker(),
            new LateContentChecker(),
            new MappingChecker(),
            new PageSizeChecker(),
            new TranslationChecker(),
            new ZapChecker(),
            new FetchOnceChecker(),
            new BoundsChecker(),
            new ProgressChecker(),
        ];

    /// <summary>Runs a plan on the calling thread; all resources are released when it returns.</summary>
    /// <param name="plan">The plan.</param>
    public static SwarmOutcome Of(SwarmPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        using var image = new TagImage((ulong)plan.Pages, plan.Seed, plan.ZeroPercent / 100.0);
        using var world = new SimWorld(
            plan.Seed,
            new SimOptions
            {
                Window = plan.OrderWindow,
                StepNs = plan.StepNs,
                MostStepsAnInstant = 200_000,
            }
        );
        var ledger = new StampLedger((ulong)plan.Pages + SwarmFaults.ExtraPages);
        world.Own(ledger);
        var view = new SwarmView(world, plan, image, ledger, AllCheckers());
        world.Own(view.Memory);
        return Run(world, view, new GuestContent(image, view.Memory, ledger));
    }

    private static SwarmOutcome Run(SimWorld world, SwarmView view, GuestContent content)
    {
        var plan = view.Plan;
        var supply = SupplyOf(world, view);
        view.Node = supply.Node;
        var heard = new SwarmDriver.Heard();
        var driver = supply.System.ActorOf(SwarmDriver.Props(view, heard), "driver");
        var migration = supply.System.ActorOf(
            MigrationActor.Props(
                PlanOf(plan, world, view, content) with
                {
                    BroadcastsClears = supply.BroadcastsClears,
                },
                supply.Pool,
                driver
            ),
            "migration"
        );
        var faults = new SwarmFaults(world, view, supply, new SwarmFaults.Actors(migration, driver));
        supply.Start();
        world.OnStep = step => OnStep(view, faults, step);
        world.AfterStep = view.AfterStep;
        migration.Tell(MigrationProtocol.Start.Instance);
        faults.Schedule(heard);
        try
        {
            var within = TimeSpan.FromTicks(plan.FaultsEndNs / 100) + supply.Liveness;
            world.RunUntil(
                () =>
                    (heard.Report is not null && (world.Steps & StepsBetweenLooks) == 0 && view.IsSettled)
                    || view.Violation is not null
                    || world.Steps > MostSteps,
                within
            );
        }
        catch (SimStuckException stuck)
        {
            view.Violate("progress", stuck.Message);
        }
        catch (SimEscapeException escaped)
        {
            view.Violate("escape", escaped.Message);
        }

        Conclude(view, heard.Report);
        var report = heard.Report;
        return new SwarmOutcome(
            plan,
            world.Hash,
            view.Violation,
            world.Steps,
            world.Messages,
            world.NowNs,
            (report?.Fetches.DemandPages + report?.Fetches.BackgroundPages) ?? 0,
            report?.Vcpus.Sum(v => v.Faults) ?? 0,
            [.. world.Log.Select(static l => l.ToString())]
        );
    }

    private static SwarmSupply SupplyOf(SimWorld world, SwarmView view)
    {
        if (!view.Plan.IsClustered)
            return new SwarmFetchers(world, view);
        return new SwarmCluster(world, view);
    }

    private static void OnStep(SwarmView view, SwarmFaults faults, in SimStep step)
    {
        faults.Seen(step.Path);
        view.OnMessage(step);
    }

    private static void Conclude(SwarmView view, MigrationReport? report)
    {
        if (view.Violation is not null)
            return;
        foreach (var checker in view.Checkers)
        {
            if (report is null)
                checker.OnTimeOver();
            else
                checker.OnReport(report);
            if (report is not null && !checker.IsSettled)
                checker.OnUnsettled();
        }
    }

    private static MigrationPlan PlanOf(SwarmPlan plan, SimWorld world, SwarmView view, GuestContent content) =>
        new()
        {
            Settings = new MigrationSettings
            {
                Architecture = plan.Architecture,
                Mode = plan.Mode,
                Memory = plan.Memory,
                Background = plan.Push,
                BackgroundWindowPages = plan.PushWindow,
                BackgroundChunkPages = plan.PushChunk,
                Memslot = new MemslotSettings
                {
                    WorkBudget = plan.WorkBudget,
                    LocalityPages = plan.Locality,
                    UffdDescriptors = plan.Descriptors,
                    UffdReaders = plan.Readers,
                },
                HostAccesses = plan.HostAccesses,
                SlotPages = (ulong)plan.SlotPages,
                Fetchers = plan.Fetchers,
                Fetcher = FetcherOf(plan),
                Vcpu = new VcpuSettings { SliceAccesses = plan.SliceAccesses, RunAheadNs = 1_000 },
                ProgressNs = 0,
                SampleNs = plan.IsClustered ? 100_000_000 : 2_000_000,
                StripCells = 8,
                Seed = plan.Seed,
            },
            Content = content,
            Workload = new PatternWorkload(
                new PatternSettings(plan.Pattern, plan.Vcpus, (ulong)plan.Pages)
                {
                    Overlapping = plan.Overlapping,
                    WriteShare = plan.WritePercent / 100.0,
                    AccessesPerVcpu = (ulong)plan.Accesses,
                    InstructionsPerAccess = plan.AccessNs,
                    InstructionsPerSecond = plan.AccessNs == 0 ? 0 : 1_000_000_000,
                    Seed = plan.Seed,
                }
            ),
            Time = world.Time,
            Regions = [new GfnRange(new Gfn(0), (ulong)plan.Pages)],
            SlotCreated = view.Created,
        };

    internal static FetchSettings FetcherOf(SwarmPlan plan) =>
        new()
        {
            RequestPages = plan.RequestPages,
            WindowPages = plan.FetchWindow,
            BackgroundWindowPages = plan.FetchWindow,
            TimeoutNs = plan.TimeoutNs,
            TickNs = plan.TickNs,
            Hedge = plan.Hedge,
            HedgeFloorNs = 50_000,
            HedgePercent = 50,
        };
}
