using Akka.Actor;
using Akka.TestKit.Xunit2;
using Userfault.Mmu;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests.Migrations;

/// <summary>Whole migrations, each to its verified end.</summary>
public class MigrationSpec(ITestOutputHelper output) : TestKit("akka.loglevel = WARNING", output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static TheoryData<Architecture, FaultMode, MemoryKind> Ways()
    {
        var ways = new TheoryData<Architecture, FaultMode, MemoryKind>();
        foreach (var architecture in Enum.GetValues<Architecture>())
        {
            foreach (var mode in Enum.GetValues<FaultMode>())
            {
                ways.Add(architecture, mode, MemoryKind.Anonymous);
                ways.Add(architecture, mode, MemoryKind.Shmem);
            }
        }

        ways.Add(Architecture.X86, FaultMode.Userfault, MemoryKind.GuestMemfd);
        return ways;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_guest_arrives_whole(Architecture architecture, FaultMode mode, MemoryKind memory)
    {
        using var guest = new Guest(4096);
        var report = Migrate(
            guest,
            new MigrationSettings
            {
                Architecture = architecture,
                Mode = mode,
                Memory = memory,
            }
        );

        Assert.Equal(MigrationState.Completed, report.State);
        Assert.Equal((4096UL, 4096UL), (report.PagesPresent, report.Verification!.Value.Verified));
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal(4 * 500, report.Vcpus.Sum(v => v.Accesses));
        Assert.Equal(4096, report.Fetches.Delivered);
    }

    [Fact]
    public void Demand_alone_fetches_what_was_touched_and_no_page_twice()
    {
        using var guest = new Guest(4096);
        var report = Migrate(
            guest,
            new MigrationSettings { Mode = FaultMode.Userfault, Background = BackgroundOrder.None }
        );

        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal(report.Slots.DemandPlaced, report.Fetches.Delivered);
        Assert.Equal((ulong)report.Fetches.Delivered, report.PagesPresent);
        Assert.Equal(0, report.Slots.LateDropped);
        Assert.InRange(report.PagesPresent, 1UL, 2000UL);
    }

    [Fact]
    public void What_is_stopped_before_its_start_reports_at_once()
    {
        using var guest = new Guest(4096);
        var settings = new MigrationSettings();
        var pool = Sys.ActorOf(FetcherPoolActor.Props(settings.Fetcher));
        pool.Tell(new FetcherPoolProtocol.AddFetcher(0, [guest.Source()]));
        var migration = Sys.ActorOf(
            MigrationActor.Props(guest.Plan(new SchedulerTime(Sys.Scheduler), settings), pool, TestActor)
        );
        migration.Tell(new MigrationProtocol.Stop("stopped by a test"));
        var report = FishForMessage<MigrationReport>(_ => true, Patience);
        Assert.Equal((MigrationState.Failed, "stopped by a test"), (report.State, report.Reason));
        Assert.Equal((4096UL, 0UL, 0L), (report.Pages, report.PagesPresent, report.ElapsedNs));
        Assert.False(report.IsVerified);

        // The start that comes behind it makes no VM, and there is no other report.
        migration.Tell(MigrationProtocol.Start.Instance);
        Assert.Equal(MigrationState.Failed, Ask(migration).State);
        Assert.Empty(report.Vcpus);
        Sys.ActorSelection(migration.Path / "vm").Tell(new Identify(null), TestActor);
        Assert.Null(ExpectMsg<ActorIdentity>(Patience).Subject);
        Watch(migration);
        Sys.Stop(migration);
        ExpectTerminated(migration, Patience);
    }

    private MigrationProgress Ask(IActorRef migration)
    {
        migration.Tell(MigrationProtocol.GetProgress.Instance, TestActor);
        return ExpectMsg<MigrationProgress>(Patience);
    }

    private MigrationReport Migrate(Guest guest, MigrationSettings settings)
    {
        var plan = guest.Plan(new SchedulerTime(Sys.Scheduler), settings with { ProgressNs = 0 });
        var pool = Sys.ActorOf(FetcherPoolActor.Props(settings.Fetcher));
        for (var i = 0; i < settings.Fetchers; i++)
            pool.Tell(new FetcherPoolProtocol.AddFetcher((ulong)i, [guest.Source()]));
        var migration = Sys.ActorOf(MigrationActor.Props(plan, pool, TestActor));
        migration.Tell(MigrationProtocol.Start.Instance);
        var report = FishForMessage<MigrationReport>(_ => true, Patience);
        Watch(migration);
        Sys.Stop(migration);
        ExpectTerminated(migration, Patience);
        return report;
    }
}
