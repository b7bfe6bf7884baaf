using Akka.Actor;
using Userfault.Pages;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests.Migrations;

/// <summary>Whole migrations at scale, with devices beside the guest, and with a recorded working set.</summary>
public sealed class ScaleSpec(ITestOutputHelper output) : Spec(output)
{
    [Fact]
    public void Five_hundred_and_twelve_vcpus_on_tags_arrive_whole()
    {
        using var guest = new Guest(
            16384,
            tags: true,
            workload: new PatternWorkload(
                new PatternSettings(PatternKind.Random, 512, 16384)
                {
                    AccessesPerVcpu = 40,
                    InstructionsPerSecond = 0,
                    Overlapping = true,
                }
            )
        );
        var report = Migrate(
            guest,
            new MigrationSettings
            {
                Mode = FaultMode.Userfault,
                SlotPages = 4096,
                Fetchers = 3,
            }
        );
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal(
            (16384UL, 512, 512L * 40),
            (report.PagesPresent, report.Vcpus.Count, report.Vcpus.Sum(v => v.Accesses))
        );
        Assert.Equal(0, report.Slots.LateDropped);
    }

    [Theory]
    [InlineData(FaultMode.Both, MemoryKind.Anonymous)]
    [InlineData(FaultMode.Both, MemoryKind.Shmem)]
    [InlineData(FaultMode.Userfaultfd, MemoryKind.Shmem)]
    public void Devices_touch_memory_beside_the_guest(FaultMode mode, MemoryKind memory)
    {
        using var guest = new Guest(2048);
        var report = Migrate(
            guest,
            new MigrationSettings
            {
                Mode = mode,
                Memory = memory,
                HostAccesses = 500,
                Memslot = new MemslotSettings { UffdDescriptors = 2, UffdReaders = 2 },
                SlotPages = 1000,
            }
        );
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal((2048UL, 500L), (report.PagesPresent, report.Slots.HostAccesses));
    }

    [Fact]
    public void A_recorded_working_set_is_pushed_first_when_it_is_replayed()
    {
        WorkingSet recorded;
        using (var guest = new Guest(4096))
        {
            var report = Migrate(
                guest,
                new MigrationSettings { Mode = FaultMode.Userfault, Background = BackgroundOrder.None },
                records: true
            );
            recorded = report.WorkingSet ?? throw new InvalidOperationException("nothing was recorded");
            Assert.Equal(report.PagesPresent, recorded.TouchedPages);
        }

        using var again = new Guest(4096);
        var replayed = Migrate(
            again,
            new MigrationSettings { Mode = FaultMode.Userfault, Background = BackgroundOrder.Recorded },
            recorded
        );
        Assert.True(replayed.IsVerified, replayed.Reason);
        Assert.Equal(4096UL, replayed.PagesPresent);
    }

    private MigrationReport Migrate(
        Guest guest,
        MigrationSettings settings,
        WorkingSet? workingSet = null,
        bool records = false
    )
    {
        var plan = guest.Plan(new SchedulerTime(Sys.Scheduler), settings with { ProgressNs = 0 }) with
        {
            WorkingSet = workingSet,
            RecordsWorkingSet = records,
        };
        var pool = Sys.ActorOf(FetcherPoolActor.Props(settings.Fetcher));
        var tags = new LocalSourceSettings { TagsOnly = guest.Memory is TagGuestMemory };
        for (var i = 0; i < settings.Fetchers; i++)
            pool.Tell(new FetcherPoolProtocol.AddFetcher((ulong)i, [() => new LocalPageSource(guest.Image, tags)]));
        var migration = Sys.ActorOf(MigrationActor.Props(plan, pool, TestActor));
        migration.Tell(MigrationProtocol.Start.Instance);
        var report = FishForMessage<MigrationReport>(_ => true);
        Watch(migration);
        Sys.Stop(migration);
        ExpectTerminated(migration);
        return report;
    }
}
