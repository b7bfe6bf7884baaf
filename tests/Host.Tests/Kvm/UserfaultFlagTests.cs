using Akka.Actor;
using Userfault.Actors;
using Userfault.Cli;
using Userfault.Kvm;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Host.Tests.Kvm;

/// <summary>Mode userfault from end to end, on a host that a test makes up: no released kernel has the flag.</summary>
public class UserfaultFlagTests
{
    private const ulong Pages = 512;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [SkippableTheory]
    [InlineData(1, BackgroundOrder.None)]
    [InlineData(4, BackgroundOrder.None)]
    [InlineData(4, BackgroundOrder.Sequential)]
    public async Task Every_exit_is_served_and_every_page_is_right(int vcpus, BackgroundOrder background)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "real vCPUs' memory is Linux's");
        using var host = new ModelKvmHost();
        var (report, calls) = await Run(host, vcpus, background);
        Assert.Equal((MigrationState.Completed, null), (report.State, report.Reason));
        Assert.True(report.IsVerified);
        Assert.Equal(vcpus * 600L, report.Vcpus.Sum(v => v.Accesses));
        Assert.True(report.Vcpus.Sum(v => v.Writes) > 100);
        Assert.Equal(report.Vcpus.Sum(v => v.Faults), host.Exits.Count);
        if (background == BackgroundOrder.None)
        {
            Assert.Equal((ulong)report.Slots.DemandPlaced, report.PagesPresent);
            Assert.Equal(report.PagesPresent, (ulong)host.Exits.Select(e => e.Page).Distinct().Count());
        }
        else
        {
            Assert.Equal(Pages, report.PagesPresent);
        }

        // The guest's own region, then RAM with the flag: by the second call, with the memslot's own bitmap.
        Assert.Equal((63u, (MemslotFlags)0), calls[0]);
        Assert.Equal((0u, MemslotFlags.Userfault), calls[1]);
    }

    [SkippableFact]
    public async Task One_vcpu_exits_at_each_page_once_in_the_order_of_its_stream()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "real vCPUs' memory is Linux's");
        using var host = new ModelKvmHost();
        await Run(host, 1, BackgroundOrder.None);
        var stream = Workload(1).Open(0);
        List<ulong> touched = [];
        while (stream.TryNext(out var access))
            touched.Add(access.Gfn.Value);
        Assert.Equal(touched.Distinct(), host.Exits.Select(e => e.Page));
    }

    [SkippableFact]
    public async Task A_guest_that_hangs_is_stopped_and_the_report_says_so()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "real vCPUs' memory is Linux's");
        using var host = new ModelKvmHost { Hangs = true };
        var (report, _) = await Run(host, 2, BackgroundOrder.None, watchdogNs: 1_000_000_000);
        Assert.Equal(
            (MigrationState.Failed, "no vCPU moved and no page came for 1.000 s"),
            (report.State, report.Reason)
        );
    }

    [SkippableFact]
    public async Task A_paused_vm_has_its_vcpus_out_of_the_guest_and_goes_on_when_told()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "real vCPUs' memory is Linux's");
        // Nobody finishes anything until the pause has kicked everybody out.
        using var host = new ModelKvmHost { Hangs = true };
        await using var machine = Start(host, 3, BackgroundOrder.None);
        var (runs, isPaused) = (new TaskCompletionSource(), new TaskCompletionSource());
        var report = machine.Session.Run(
            progress =>
            {
                if (progress.State == MigrationState.Running)
                    runs.TrySetResult();
                if (progress.State == MigrationState.Paused)
                    isPaused.TrySetResult();
            },
            CancellationToken.None
        );
        await runs.Task.WaitAsync(Patience);
        var migration = machine.Session.Actors.System.ActorSelection("/user/run/migration");
        var vm = machine.Session.Actors.System.ActorSelection("/user/run/migration/vm");
        vm.Tell(new VmProtocol.PauseVm("for a look"));
        await isPaused.Task.WaitAsync(Patience);
        host.Hangs = false;
        Assert.Empty(host.Exits);
        migration.Tell(MigrationProtocol.Continue.Instance);
        var end = await report.WaitAsync(Patience);
        Assert.Equal((MigrationState.Completed, 1), (end.State, end.Pauses.Count));
        Assert.True(end.IsVerified);
        Assert.Equal(1800, end.Vcpus.Sum(v => v.Accesses));
    }

    [Theory]
    [InlineData(KvmMode.Auto, true, KvmMode.Userfault)]
    [InlineData(KvmMode.Auto, false, KvmMode.Kick)]
    [InlineData(KvmMode.Userfault, true, KvmMode.Userfault)]
    [InlineData(KvmMode.Holes, true, KvmMode.Holes)]
    [InlineData(KvmMode.Userfaultfd, false, KvmMode.Userfaultfd)]
    public void The_mode_follows_the_probe(object asked, bool hasUserfault, object taken)
    {
        using var host = new ModelKvmHost { HasUserfault = hasUserfault };
        Assert.Equal((KvmMode)taken, new KvmSetup((KvmMode)asked).On(host).Mode);
    }

    [Fact]
    public void What_the_host_lacks_is_said_in_one_line()
    {
        using var host = new ModelKvmHost { HasUserfault = false, MaxVcpus = 2 };
        Assert.Contains(
            "KVM_MEM_USERFAULT",
            Assert.Throws<CliException>(() => new KvmSetup(KvmMode.Userfault).On(host)).Message,
            StringComparison.Ordinal
        );
    }

    private static PatternWorkload Workload(int vcpus) =>
        new(
            new PatternSettings(PatternKind.Random, vcpus, Pages)
            {
                Overlapping = true,
                AccessesPerVcpu = 600,
                WriteShare = 0.3,
            }
        );

    private static async Task<(MigrationReport Report, IReadOnlyList<(uint Slot, MemslotFlags Flags)> Calls)> Run(
        ModelKvmHost host,
        int vcpus,
        BackgroundOrder background,
        long watchdogNs = 60_000_000_000
    )
    {
        await using var machine = Start(host, vcpus, background, watchdogNs);
        var report = await machine.Session.Run(_ => { }, CancellationToken.None).WaitAsync(Patience);
        return (report, [.. host.Calls]);
    }

    private static Started Start(
        ModelKvmHost host,
        int vcpus,
        BackgroundOrder background,
        long watchdogNs = 60_000_000_000
    )
    {
        var setup = new KvmSetup(KvmMode.Userfault, WatchdogNs: watchdogNs);
        var image = new SyntheticImage(new SyntheticSettings(Pages, 0.3, 0.1, 1));
        var inputs = RunInputs.Of(image, Workload(vcpus), new KvmGuestMemory(Pages, setup.Mode));
        var migration = new MigrationSettings { Mode = FaultMode.Userfault, Background = background };
        var system = ActorSystem.Create("userfault", Cli.Settings.Load(null).Config);
        var session = new KvmSession(system, inputs, new RunSettings(migration) { OtherThreads = 1 }, setup, host);
        session.Actors.AddLocalFetchers(
            image,
            1,
            new SourceSection(new LinkSettings(0, 0, 0, 1), RememberedContents: 0)
        );
        return new Started(session, inputs);
    }

    private sealed record Started(KvmSession Session, RunInputs Inputs) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Session.DisposeAsync();
            Inputs.Dispose();
        }
    }
}
