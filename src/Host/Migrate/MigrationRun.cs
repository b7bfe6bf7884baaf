using System.Threading.Channels;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary>The actor system of one migration in one process, and the pump that gives it microseconds.</summary>
internal sealed class MigrationRun : IAsyncDisposable
{
    private const string VcpuDispatcher = "userfault-vcpus";
    private const string MemslotDispatcher = "userfault-memslots";

    private readonly SpinningPump _pump = new();
    private readonly ActorSystem _system;
    private readonly Channel<object> _news = Channel.CreateUnbounded<object>();
    private readonly IActorRef _migration;

    public MigrationRun(
        Settings settings, RunInputs inputs, MigrationSettings migration, LinkSettings link, bool recordsWorkingSet)
    {
        // A spinning thread wants a core of its own: the loops that are left when the pump has its core.
        var loops = Environment.ProcessorCount - (link.IsInstant ? 0 : 1);
        var vcpuDispatcher = loops >= 2 ? VcpuDispatcher : MemslotDispatcher;
        _system = ActorSystem.Create("userfault", settings.Config);
        var time = new PumpedTime(_pump);
        var pool = _system.ActorOf(FetcherPoolActor.Props(migration.Fetcher, time: time).WithDispatcher(MemslotDispatcher), "fetchers");
        var contents = settings.Count("source.remembered-contents", 0, 1 << 24);
        for (var i = 0; i < migration.Fetchers; i++)
        {
            var own = link with { Seed = link.Seed + (ulong)i };
            pool.Tell(new FetcherPoolProtocol.AddFetcher((ulong)i, [() => OpenSource(inputs.Image, own, contents)]));
        }

        var plan = new MigrationPlan
        {
            Settings = migration,
            Content = inputs.Content,
            Workload = inputs.Workload,
            Time = time,
            WorkingSet = inputs.WorkingSet,
            RecordsWorkingSet = recordsWorkingSet,
            Regions = inputs.Regions,
            VcpuDispatcher = vcpuDispatcher,
            MemslotDispatcher = MemslotDispatcher,
        };
        var observer = _system.ActorOf(Props.Create(() => new Observer(_news.Writer)), "observer");
        _migration = _system.ActorOf(MigrationActor.Props(plan, pool, observer).WithDispatcher(MemslotDispatcher), "migration");
    }

    /// <summary>Runs to the report, which comes in any case: after Ctrl-C it says what was not finished.</summary>
    public async Task<MigrationReport> Run(Action<MigrationProgress> progress, CancellationToken cancelled)
    {
        using var stop = cancelled.Register(() => _migration.Tell(new MigrationProtocol.Stop("stopped by Ctrl-C")));
        _migration.Tell(MigrationProtocol.Start.Instance);
        await foreach (var news in _news.Reader.ReadAllAsync(CancellationToken.None))
        {
            if (news is MigrationReport report) return report;
            if (news is MigrationProgress now) progress(now);
        }

        throw new InvalidOperationException("the migration ended without a report");
    }

    public async ValueTask DisposeAsync()
    {
        await _system.Terminate();
        _pump.Dispose();
    }

    private IPageSource OpenSource(IMemoryImage image, LinkSettings link, int contents)
    {
        var source = new LocalPageSource(
            image, new LocalSourceSettings { Link = link, RememberedContents = contents }, _pump.Wake);
        if (!link.IsInstant) _pump.Add(source);
        return source;
    }

    private sealed class Observer(ChannelWriter<object> news) : UntypedActor
    {
        protected override void OnReceive(object message) => news.TryWrite(message);
    }
}
