using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Paging;

namespace Userfault.Simulation.Tests;

/// <summary>Whole migrations by the real actors, in a world.</summary>
public sealed class SimVmTests
{
    [Theory]
    [InlineData(FaultMode.Userfault, MemoryKind.Anonymous, BackgroundOrder.Sequential)]
    [InlineData(FaultMode.Userfault, MemoryKind.GuestMemfd, BackgroundOrder.Outward)]
    [InlineData(FaultMode.Both, MemoryKind.Anonymous, BackgroundOrder.Sequential)]
    [InlineData(FaultMode.Both, MemoryKind.Shmem, BackgroundOrder.Outward)]
    [InlineData(FaultMode.Userfaultfd, MemoryKind.Shmem, BackgroundOrder.Sequential)]
    public void A_guest_arrives_whole(FaultMode mode, MemoryKind memory, BackgroundOrder background)
    {
        using var world = new SimWorld(3);
        var report = Migrate(world, 4096, 8, new MigrationSettings
        {
            Mode = mode,
            Memory = memory,
            Background = background,
            ProgressNs = 0,
            HostAccesses = mode == FaultMode.Userfault ? 0 : 100,
        });
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal((4096UL, 8L * 500), (report.PagesPresent, report.Vcpus.Sum(v => v.Accesses)));
    }

    [Fact]
    public void Demand_alone_fetches_each_touched_page_once()
    {
        using var world = new SimWorld(3);
        var report = Migrate(world, 4096, 8, new MigrationSettings
        {
            Mode = FaultMode.Userfault,
            Background = BackgroundOrder.None,
            ProgressNs = 0,
            Fetcher = new FetchSettings { Hedge = false },
        });
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal((long)report.PagesPresent, report.Fetches.DemandPages);
        Assert.Equal(0, report.Slots.LateDropped);
    }

    [Fact]
    public void A_fault_takes_as_long_as_its_source_to_the_ns()
    {
        using var world = new SimWorld(1);
        var image = new TagImage(64, 1);
        var vm = new SimVm(world, world.CreateSystem("destination"), new SimVmSettings
        {
            Image = image,
            Migration = new MigrationSettings { Mode = FaultMode.Userfault, Background = BackgroundOrder.None, ProgressNs = 0, SampleNs = 0 },
            Workload = new PatternWorkload(new PatternSettings(PatternKind.Sequential, 1, 64) { InstructionsPerSecond = 0 }),
        });
        vm.AddFetcher(1, new SimPageServer(world, image, new SimServerSettings { Latency = SimLatency.Constant(30_000) }));
        vm.Start();
        var report = vm.RunToReport(TimeSpan.FromSeconds(1));
        Assert.NotNull(report);
        Assert.Equal((64L, 64L * 30_000), (report.Vcpus[0].Faults, report.Vcpus[0].StallNs));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_source_that_does_everything_wrong_costs_time_and_nothing_else(ulong seed)
    {
        using var world = new SimWorld(seed);
        var report = Migrate(world, 2048, 4, new MigrationSettings { Mode = FaultMode.Userfault, ProgressNs = 0 }, new SimSourceFaults
        {
            Short = 0.01,
            WrongPage = 0.005,
            Duplicate = 0.1,
            Late = 0.05,
            Never = 0.02,
            Refuse = 0.005,
        });
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal(2048UL, report.PagesPresent);
    }

    [Fact]
    public void Content_that_no_checksum_has_stopped_is_seen_by_the_verification()
    {
        using var world = new SimWorld(1);
        var report = Migrate(
            world, 2048, 4, new MigrationSettings { Mode = FaultMode.Userfault, ProgressNs = 0 }, new SimSourceFaults { Corrupt = 0.2 });
        Assert.False(report.IsVerified);
    }

    [Fact]
    public void One_seed_replays_a_migration_and_another_does_not()
    {
        ulong Run(ulong seed)
        {
            using var world = new SimWorld(seed);
            Migrate(world, 1024, 4, new MigrationSettings { ProgressNs = 0 }, new SimSourceFaults { Late = 0.1, Never = 0.05 });
            return world.Hash;
        }

        Assert.Equal(Run(5), Run(5));
        Assert.NotEqual(Run(5), Run(6));
    }

    [Fact]
    public void A_server_that_dies_is_replaced_by_the_other()
    {
        using var world = new SimWorld(4);
        var image = new TagImage(4096, 4);
        var (near, far) = (Server(world, image, "near"), Server(world, image, "far"));
        var vm = Vm(world, image, 8, new MigrationSettings { Mode = FaultMode.Userfault, ProgressNs = 0 });
        vm.AddFetcher(1, near, far);
        vm.Start();
        world.After(500_000, "death", near.Kill);
        var report = vm.RunToReport(TimeSpan.FromMinutes(5));
        Assert.NotNull(report);
        Assert.True(report.IsVerified, report.Reason);
        Assert.True(near.PagesSent > 0 && far.PagesSent > 0, $"{near.PagesSent} and {far.PagesSent}");
        Assert.Contains(world.Log, line => line.Text.Contains("gives up page source", StringComparison.Ordinal));
    }

    private static MigrationReport Migrate(
        SimWorld world, ulong pages, int vcpus, MigrationSettings settings, SimSourceFaults? faults = null)
    {
        var image = new TagImage(pages, world.Seed, zeroShare: 0.2);
        var vm = Vm(world, image, vcpus, settings);
        vm.AddFetcher(1, Server(world, image, "a", faults), Server(world, image, "b", faults));
        vm.AddFetcher(2, Server(world, image, "c", faults), Server(world, image, "d"));
        vm.Start();
        var report = vm.RunToReport(TimeSpan.FromMinutes(10));
        return report ?? throw new InvalidOperationException($"no report at {world.NowNs} ns: {string.Join("; ", world.Log)}");
    }

    private static SimVm Vm(SimWorld world, TagImage image, int vcpus, MigrationSettings settings) => new(
        world, world.CreateSystem("destination"), new SimVmSettings
        {
            Image = image,
            Migration = settings,
            Workload = new PatternWorkload(new PatternSettings(PatternKind.Random, vcpus, image.Pages)
            {
                AccessesPerVcpu = 500,
                Overlapping = true,
                InstructionsPerSecond = 1_000_000_000,
                Seed = world.Seed,
            }),
        });

    private static SimPageServer Server(SimWorld world, TagImage image, string name, SimSourceFaults? faults = null) => new(
        world, image, new SimServerSettings
        {
            Name = name,
            Latency = SimLatency.LongTailed(30_000),
            BitsPerSecond = 10_000_000_000,
            Faults = faults ?? SimSourceFaults.None,
        });
}
