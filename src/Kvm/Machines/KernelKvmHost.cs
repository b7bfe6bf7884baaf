using Userfault.Actors;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>A VM of the real kernel.</summary>
internal sealed class KernelKvmHost : IKvmHost
{
    private const uint MaxSlots = 32764;
    private readonly KvmDevice _device;
    private readonly KvmVm _vm;

    /// <exception cref="KvmUnavailableException">KVM is not available on this machine.</exception>
    public KernelKvmHost()
    {
        if (KvmDevice.WhyMissing() is { } missing)
            throw new KvmUnavailableException($"real vCPUs cannot be had here: {missing}");
        _device = KvmDevice.Open();
        // The flag belongs to the newer call; a kernel without that call need not be asked.
        HasUserfault = _device.Check(KvmCapability.UserMemory2) > 0 && Probe();
        _vm = _device.CreateVm();
    }

    public IMemoryRegionCalls Regions => _vm;

    public uint Slots => (uint)Math.Min(MaxSlots, Math.Max(2, _vm.Check(KvmCapability.Memslots)));

    public int MaxVcpus => Math.Max(1, _vm.Check(KvmCapability.MaxVcpus));

    public bool HasUserfault { get; }

    public IVcpuRunner CreateVcpu(GuestLayout layout, nint boot, int number, int ring)
    {
        var vcpu = _vm.CreateVcpu(number);
        GuestEntry.Prepare(vcpu, layout, number, ring);
        return vcpu;
    }

    public GuestLeaves? CountLeaves()
    {
        using var statistics = _vm.OpenStatistics();
        return
            statistics?["pages_4k"] is { } small
            && statistics["pages_2m"] is { } large
            && statistics["pages_1g"] is { } largest
            ? new GuestLeaves(small, large, largest)
            : null;
    }

    public void Dispose()
    {
        _vm.Dispose();
        _device.Dispose();
    }

    // On a separate VM, so that any effect of the flag on an unknown kernel disappears with it.
    private bool Probe()
    {
        using var vm = _device.CreateVm();
        using var memory = MemoryMapping.Anonymously(2 * Page.Size);
        return UserfaultProbe.Finds(vm, memory.Address, memory.Address + Page.Size);
    }
}
