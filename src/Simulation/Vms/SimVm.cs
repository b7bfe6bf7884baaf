using Akka.Actor;
using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// A VM under migration in a world: the actors of a real run, in virtual time, with guest memory as content tags.
/// Belongs to its world and ends with it.
/// </summary>
public sealed class SimVm
{
    private readonly List<MigrationProgress> _progress = [];
    private readonly SimWorld _world;

    /// <summary>A VM that waits for <see cref="Start"/>, with an empty fetcher pool.</summary>
    /// <param name="world">The world.</param>
    /// <param name="system">The destination's actor system, one of the world's.</param>
    /// <param name="settings">Its settings.</param>
    public SimVm(SimWorld world, ActorSystem system, SimVmSettings settings)
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(settings);
        (_world, Settings) = (world, settings);
        var (memory, ledger) = (new TagGuestMemory(settings.Image.Pages), new StampLedger(settings.Image.Pages));
        world.Own(memory);
        world.Own(ledger);
        var counting = new CountingMemory(settings.WrapMemory?.Invoke(memory) ?? memory);
        Content = new GuestContent(settings.Image, counting, ledger);
        var plan = new MigrationPlan
        {
            Settings = settings.Migration,
            Content = Content,
            Workload = settings.Workload,
            Time = world.Time,
            WorkingSet = settings.WorkingSet,
            RecordsWorkingSet = settings.RecordsWorkingSet,
            VmName = settings.Name,
            Regions = settings.Regions ?? MigrationPlan.RegionsOf(settings.Image),
            BroadcastsClears = settings.BroadcastsClears,
        };
        Pool = system.ActorOf(
            FetcherPoolActor.Props(settings.Migration.Fetcher, settings.Broadcast, world.Time),
            $"{settings.Name}-fetchers"
        );
        var observer = system.ActorOf(Props.Create(() => new Observer(this)), $"{settings.Name}-observer");
        Migration = system.ActorOf(MigrationActor.Props(plan, Pool, observer), $"{settings.Name}-migration");
    }

    /// <summary>Its settings.</summary>
    public SimVmSettings Settings { get; }

    /// <summary>Guest memory, the image that it must match, and the record of the guest's own writes.</summary>
    public GuestContent Content { get; }

    /// <summary>The fetcher pool.</summary>
    public IActorRef Pool { get; }

    /// <summary>The migration.</summary>
    public IActorRef Migration { get; }

    /// <summary>Number of pages in place; <see cref="Progress"/> lags behind.</summary>
    public ulong PagesInPlace => ((CountingMemory)Content.Memory).Published;

    /// <summary>The progress reports of the migration.</summary>
    public IReadOnlyList<MigrationProgress> Progress => _progress;

    /// <summary>The final report; null while the migration runs.</summary>
    public MigrationReport? Report { get; private set; }

    /// <summary>Adds a fetcher with a connection to each of these servers.</summary>
    /// <param name="number">Its number, which determines its share of the pages.</param>
    /// <param name="servers">Replicas of the image.</param>
    public void AddFetcher(ulong number, params IReadOnlyList<SimPageServer> servers) =>
        Pool.Tell(
            new FetcherPoolProtocol.AddFetcher(number, [.. servers.Select(static s => (Func<IPageSource>)s.Connect)]),
            ActorRefs.NoSender
        );

    /// <summary>Starts the migration.</summary>
    public void Start() => Migration.Tell(MigrationProtocol.Start.Instance, ActorRefs.NoSender);

    /// <summary>Runs the world until the report arrives.</summary>
    /// <param name="within">Maximum virtual time.</param>
    /// <returns>The report; null if the time is over or nothing is left to happen.</returns>
    public MigrationReport? RunToReport(TimeSpan within)
    {
        _world.RunUntil(() => Report is not null, within);
        return Report;
    }

    private sealed class Observer(SimVm vm) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case MigrationReport report:
                    vm.Report = report;
                    break;
                case MigrationProgress progress:
                    vm._progress.Add(progress);
                    break;
                default:
                    Unhandled(message);
                    break;
            }
        }
    }
}
