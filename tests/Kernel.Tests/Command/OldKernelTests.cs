using Akka.Actor;
using Userfault.Actors;
using Userfault.Cli;
using Userfault.Kernel.Tests.Cases;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Kernel.Tests.Command;

/// <summary>
/// Real vCPUs on a kernel before 6.8, which has no KVM_SET_USER_MEMORY_REGION2: the machine's own KVM with that call
/// taken away.
/// </summary>
[Collection(KernelCollection.Name)]
public class OldKernelTests
{
    private const ulong Pages = 256;

    [KernelTheory]
    [InlineData(KvmMode.Userfaultfd)]
    [InlineData(KvmMode.Kick)]
    [InlineData(KvmMode.Holes)]
    public async Task Every_mode_without_the_flag_runs(object taken)
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        var mode = (KvmMode)taken;
        if (mode != KvmMode.Holes)
            Here.NeedsUserfaultfd();
        var setup = new KvmSetup(mode, WatchdogNs: 60_000_000_000);
        var image = new SyntheticImage(new SyntheticSettings(Pages, 0.3, 0.1, 1));
        var workload = new PatternWorkload(
            new PatternSettings(PatternKind.Random, 2, Pages)
            {
                Overlapping = true,
                AccessesPerVcpu = 300,
                WriteShare = 0.3,
            }
        );
        using var inputs = RunInputs.Of(image, workload, new KvmGuestMemory(Pages, mode));
        var migration = new MigrationSettings
        {
            Mode = mode == KvmMode.Userfaultfd ? FaultMode.Userfaultfd : FaultMode.Userfault,
            Background = BackgroundOrder.None,
        };
        var system = ActorSystem.Create("userfault", Cli.Settings.Load(null).Config);
        await using var session = new KvmSession(
            system,
            inputs,
            new RunSettings(migration) { OtherThreads = 1 },
            setup,
            new OldKernelHost()
        );
        session.Actors.AddLocalFetchers(
            image,
            1,
            new SourceSection(new LinkSettings(0, 0, 0, 1), RememberedContents: 0)
        );
        var report = await session.Run(_ => { }, CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(3));
        Assert.Equal((MigrationState.Completed, null), (report.State, report.Reason));
        Assert.True(report.IsVerified);
    }

    [KernelFact]
    public void Mode_userfault_is_refused_and_auto_does_without()
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        using var host = new OldKernelHost();
        Assert.Equal(KvmMode.Kick, new KvmSetup(KvmMode.Auto).On(host).Mode);
        Assert.Throws<CliException>(() => new KvmSetup(KvmMode.Userfault).On(host));
    }

    private sealed class OldKernelHost : IKvmHost, IMemoryRegionCalls
    {
        private readonly KernelKvmHost _kernel = new();

        public IMemoryRegionCalls Regions => this;

        public uint Slots => _kernel.Slots;

        public int MaxVcpus => _kernel.MaxVcpus;

        public bool HasUserfault => false;

        public LinuxErrno SetUserMemoryRegion(in UserspaceMemoryRegion2 region) =>
            _kernel.Regions.SetUserMemoryRegion(region);

        public LinuxErrno SetUserMemoryRegion2(in UserspaceMemoryRegion2 region) => LinuxErrno.ENOTTY;

        public GuestLeaves? CountLeaves() => _kernel.CountLeaves();

        public IVcpuRunner CreateVcpu(GuestLayout layout, nint boot, int number, int ring) =>
            _kernel.CreateVcpu(layout, boot, number, ring);

        public void Dispose() => _kernel.Dispose();
    }
}
