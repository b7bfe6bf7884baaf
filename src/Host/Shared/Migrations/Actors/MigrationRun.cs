using System.Threading.Channels;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>The actor system of one migration in one process, and the pump that gives it microseconds.</summary>
internal sealed class MigrationRun : IAsyncDisposable
{
    private const string VcpuDispatcher = "userfault-vcpus";
    private const string MemslotDispatcher = "userfault-memslots";
    private const string SharedDispatcher = "userfault-shared";
    private const int VcpusForTwoLoops = 32;

    private readonly SpinningPump _pump = new();
    private readonly Channel<object> _news = Channel.CreateUnbounded<object>();
    private readonly IActorRef _migration;
    private readonly RunInputs _inputs;
    private readonly MigrationSettings _settings;

    /// <summary>A migration without a source of pages yet.</summary>
    /// <param name="system">Its actor system, which ends with it.</param>
    /// <param name="inputs">What it works on.</param>
    /// <param name="settings">How it runs.</param>
    public MigrationRun(ActorSystem system, RunInputs inputs, RunSettings settings)
    {
        var (migration, clears) = (settings.Migration, settings.Clears);
        var (vcpuDispatcher, memslotDispatcher) = DispatchersFor(
            Environment.ProcessorCount,
            settings.OtherThreads,
            inputs.Workload.Vcpus
        );
        System = system;
        Loop = EventLoopDispatcher.LoopOf(system, memslotDispatcher);
        (_inputs, _settings) = (inputs, migration);
        // On the vCPUs' own thread; the pump's is for sources alone, and takes a core while it runs.
        var time = EventLoopDispatcher.TimeOf(system, vcpuDispatcher) ?? new PumpedTime(_pump);
        Pool = system.ActorOf(
            FetcherPoolActor.Props(migration.Fetcher, clears?.Publisher, time).WithDispatcher(memslotDispatcher),
            "fetchers"
        );
        var plan = new MigrationPlan
        {
            Settings = migration,
            Content = inputs.Content,
            Workload = inputs.Workload,
            Time = time,
            WorkingSet = inputs.WorkingSet,
            RecordsWorkingSet = settings.WorkingSet == WorkingSetRecording.On,
            Regions = inputs.Regions,
            VmName = clears?.VmName ?? "vm",
            BroadcastsClears = clears is not null,
            VcpuDispatcher = vcpuDispatcher,
            MemslotDispatcher = memslotDispatcher,
            OtherVcpus = settings.OtherVcpus,
        };
        _migration = system.ActorOf(
            MigrationWatch.Props(plan, Pool, memslotDispatcher, _news.Writer).WithDispatcher(memslotDispatcher),
            "run"
        );
    }

    public ActorSystem System { get; }

    /// <summary>The thread of memslots and fetchers, which can receive their pages; null if they have none.</summary>
    public IReadinessLoop? Loop { get; }

    /// <summary>The fetcher pool, empty at first.</summary>
    public IActorRef Pool { get; }

    /// <summary>The dispatchers of vCPUs and of memslots.</summary>
    /// <param name="processors">The machine's.</param>
    /// <param name="others">Busy threads besides the actors'.</param>
    /// <param name="vcpus">How many vCPUs there are.</param>
    internal static (string Vcpus, string Memslots) DispatchersFor(int processors, int others, int vcpus) =>
        (processors - others) switch
        {
            // Where nothing spins, few vCPUs would wake the memslots' thread for each fault, and it them.
            >= 2 when processors >= SpinTime.LeastProcessors || vcpus >= VcpusForTwoLoops => (
                VcpuDispatcher,
                MemslotDispatcher
            ),
            >= 1 => (MemslotDispatcher, MemslotDispatcher),
            _ => (SharedDispatcher, SharedDispatcher),
        };

    /// <summary>Fetchers that take the pages out of the image in this process, each behind a path of its own.</summary>
    public void AddLocalFetchers(IMemoryImage image, int count, SourceSection source)
    {
        for (var i = 0; i < count; i++)
        {
            var own = new LocalSourceSettings
            {
                Link = source.Link with { Seed = source.Link.Seed + (ulong)i },
                RememberedContents = source.RememberedContents,
            };
            Pool.Tell(new FetcherPoolProtocol.AddFetcher((ulong)i, [() => OpenSource(image, own)]));
        }
    }

    /// <summary>Runs to the report, which comes in any case: after Ctrl-C it says what was not finished.</summary>
    public async Task<MigrationReport> Run(Action<MigrationProgress> progress, CancellationToken cancelled)
    {
        using var stop = cancelled.Register(() => _migration.Tell(new MigrationProtocol.Stop("stopped by Ctrl-C")));
        _migration.Tell(MigrationProtocol.Start.Instance);
        await foreach (var news in _news.Reader.ReadAllAsync(CancellationToken.None))
        {
            if (news is MigrationReport report)
                return report;
            if (news is MigrationWatch.Broken broken)
                return NothingOf(_inputs, _settings, broken.Reason);
            if (news is MigrationProgress now)
                progress(now);
        }

        throw new InvalidOperationException("the migration ended without a report");
    }

    /// <summary>Ends the migration as it is; its report says what was not finished.</summary>
    public void Stop(string reason) => _migration.Tell(new MigrationProtocol.Stop(reason));

    public async ValueTask DisposeAsync()
    {
        await System.Terminate();
        _pump.Dispose();
    }

    private LocalPageSource OpenSource(IMemoryImage image, LocalSourceSettings settings)
    {
        var source = new LocalPageSource(image, settings, _pump.Wake);
        if (!settings.Link.IsInstant)
            _pump.Add(source);
        return source;
    }

    /// <summary>What is known where the actor that knows the rest has failed.</summary>
    internal static MigrationReport NothingOf(RunInputs inputs, MigrationSettings settings, string reason) =>
        new()
        {
            State = MigrationState.Failed,
            Reason = reason,
            Settings = settings,
            Image = inputs.Image.Name,
            Workload = inputs.Workload.Name,
            Pages = inputs.Regions.Aggregate(0UL, static (sum, region) => sum + region.Count),
            PagesPresent = 0,
            CompletionNs = -1,
            GuestNs = -1,
            ElapsedNs = 0,
            Slots = new SlotCounters(),
            Fetches = default,
            Fetchers = [],
            Vcpus = [],
            Latency = new LatencyHistogram(),
            Timeline = [],
        };
}
