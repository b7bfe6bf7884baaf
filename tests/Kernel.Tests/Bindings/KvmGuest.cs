using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Kernel.Tests.Bindings;

/// <summary>
/// A VM with one vCPU and some RAM, for tests; a KVM_RUN that does not end is kicked out and found out.
/// </summary>
internal sealed unsafe class KvmGuest : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly KvmDevice _device = KvmDevice.Open();
    private readonly MemoryMapping _boot;
    private readonly Timer _watchdog;
    private volatile bool _isLate;

    public KvmGuest(int pages, int ring = 3, bool mapsRam = true)
    {
        Ram = MemoryMapping.Anonymously((ulong)pages << Page.Shift);
        Ram.ForbidHugePages();
        Vm = _device.CreateVm();
        Layout = new GuestLayout(Ram.Bytes, 1);
        _boot = MemoryMapping.Anonymously(Layout.BootBytes);
        Layout.WriteTo(_boot.Start);
        if (mapsRam)
            Assert.Equal(LinuxErrno.None, Vm.SetUserMemoryRegion(Region(0, 0, Ram.Address, Ram.Bytes)));
        Assert.Equal(
            LinuxErrno.None,
            Vm.SetUserMemoryRegion(Region(1, Layout.BootGpa, _boot.Address, Layout.BootBytes))
        );
        Vcpu = Vm.CreateVcpu(0);
        GuestEntry.Prepare(Vcpu, Layout, 0, ring);
        Vcpu.Adopt();
        _watchdog = new Timer(_ =>
        {
            _isLate = true;
            Vcpu.Kick();
        });
    }

    public MemoryMapping Ram { get; }

    public KvmVm Vm { get; }

    public GuestLayout Layout { get; }

    public KvmVcpu Vcpu { get; }

    public GuestBatch Batch => Layout.Batch(_boot.Start, 0);

    public ref ulong Word(int page) => ref *(ulong*)(Ram.Start + ((ulong)page << Page.Shift));

    public static void IsNeeded() => Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());

    public static UserspaceMemoryRegion2 Region(uint slot, ulong gpa, ulong hva, ulong bytes, MemslotFlags flags = 0) =>
        new()
        {
            Slot = slot,
            Flags = (uint)flags,
            GuestPhysicalAddress = gpa,
            UserspaceAddress = hva,
            MemorySize = bytes,
        };

    /// <summary>Did the guest report that its batch is done?</summary>
    public static bool IsBatchDone(in KvmExit exit) => exit is { Kind: KvmExitKind.Io, Port: GuestProgram.ReportPort };

    /// <summary>One return of KVM_RUN that is not a foreign signal's.</summary>
    public KvmExit Run(bool wantsInterrupt = false)
    {
        _watchdog.Change(Bound, Timeout.InfiniteTimeSpan);
        while (true)
        {
            var exit = Vcpu.Run();
            Assert.False(_isLate, "KVM_RUN did not end");
            if (exit.Kind == KvmExitKind.Interrupted && !wantsInterrupt)
                continue;
            _watchdog.Change(Timeout.Infinite, Timeout.Infinite);
            return exit;
        }
    }

    public void Dispose()
    {
        using var gone = new ManualResetEvent(false);
        if (_watchdog.Dispose(gone))
            gone.WaitOne();
        Vcpu.Dispose();
        Vm.Dispose();
        _device.Dispose();
        _boot.Dispose();
        Ram.Dispose();
    }
}
