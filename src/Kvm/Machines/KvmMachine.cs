using Userfault.Actors;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Kvm;

/// <summary>
/// A real VM: a memory region of its own with code and tables, the guest's RAM according to the memslots of the actors'
/// VM, and its vCPUs. Regions are set on the thread of any vCPU or its actor, one at a time.
/// </summary>
internal sealed unsafe class KvmMachine : IDisposable
{
    private readonly IKvmHost _host;
    private readonly KvmGuestMemory _memory;
    private readonly MemoryMapping _boot;
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, bool> _mapped = [];
    private readonly Dictionary<ulong, bool> _filled = [];
    private readonly ulong _holePages;
    private GuestSpace? _space;
    private uint _nextHole;

    /// <summary>A machine whose vCPUs have not run.</summary>
    /// <param name="host">The VM; owned.</param>
    /// <param name="memory">Guest memory; owned by the caller.</param>
    /// <param name="vcpus">Number of vCPUs.</param>
    /// <param name="mode">How missing pages are caught; never <see cref="KvmMode.Auto"/>.</param>
    /// <param name="ring">CPL 0 or 3.</param>
    /// <param name="holePages">Minimum pages per region in mode holes; more if the slots would not suffice.</param>
    /// <exception cref="KvmUnavailableException">More vCPUs than the kernel supports.</exception>
    public KvmMachine(IKvmHost host, KvmGuestMemory memory, int vcpus, KvmMode mode, int ring, ulong holePages)
    {
        (_host, _memory, Mode) = (host, memory, mode);
        if (vcpus > host.MaxVcpus)
        {
            throw new KvmUnavailableException(
                $"{vcpus} vCPUs: this kernel runs at most {host.MaxVcpus} in a VM; use fewer"
            );
        }

        Layout = new GuestLayout(memory.CapacityBytes, vcpus);
        _boot = MemoryMapping.Anonymously(Layout.BootBytes);
        Layout.WriteTo(_boot.Start);
        for (_holePages = holePages; (memory.Pages / _holePages) + 1 >= host.Slots / 2; _holePages *= 2) { }

        Set(
            new UserspaceMemoryRegion2
            {
                Slot = host.Slots - 1,
                GuestPhysicalAddress = Layout.BootGpa,
                MemorySize = Layout.BootBytes,
                UserspaceAddress = _boot.Address,
            }
        );
        Vcpus = [.. Enumerable.Range(0, vcpus).Select(i => host.CreateVcpu(Layout, (nint)_boot.Start, i, ring))];
    }

    /// <summary>How missing pages are caught.</summary>
    public KvmMode Mode { get; }

    /// <summary>The layout of the guest's own memory.</summary>
    public GuestLayout Layout { get; }

    /// <summary>The runners of the vCPUs, by number.</summary>
    public IReadOnlyList<IVcpuRunner> Vcpus { get; }

    /// <summary>A vCPU's batch.</summary>
    public GuestBatch Batch(int vcpu) => Layout.Batch(_boot.Start, vcpu);

    /// <summary>
    /// Gives the guest its RAM as the memslots define it, and turns USERFAULT off for those that no longer have it.
    /// Regions that already match are not changed.
    /// </summary>
    /// <exception cref="LinuxException">The kernel rejects a region.</exception>
    public void Follow(GuestSpace space)
    {
        lock (_lock)
        {
            _space = space;
            if (Mode == KvmMode.Holes)
                return;
            foreach (var view in space.Slots)
            {
                var slot = view.Core.Slot;
                var isUserfault = Mode == KvmMode.Userfault && slot.IsUserfault;
                if (_mapped.TryGetValue(slot.Id.Raw, out var was) && was == isUserfault)
                    continue;
                Set(
                    Region(slot.Id.Raw, slot.Range) with
                    {
                        Flags = isUserfault ? (uint)MemslotFlags.Userfault : 0,
                        UserfaultBitmap = isUserfault ? slot.UserfaultBitmap.Value : 0,
                    }
                );
                _mapped[slot.Id.Raw] = isUserfault;
            }
        }
    }

    /// <summary>
    /// Mode holes: sets a region at the page's place once all pages of its hole are in place. Until then its touches
    /// are answered one by one.
    /// </summary>
    public void FillHole(Gfn gfn)
    {
        lock (_lock)
        {
            var hint = 0;
            if (_space?.Find(gfn, ref hint) is not { } view)
                return;
            var index = gfn.Value / _holePages;
            var first = Math.Max(index * _holePages, view.Range.Start.Value);
            var end = Math.Min((index + 1) * _holePages, view.Range.End.Value);
            if (_filled.ContainsKey(first))
                return;
            for (var page = first; page < end; page++)
            {
                if (!_memory.IsPlaced(new MemoryPage(page)))
                    return;
            }

            Set(Region(_nextHole++, new GfnRange(new Gfn(first), end - first)));
            _filled[first] = true;
        }
    }

    /// <inheritdoc cref="IKvmHost.CountLeaves"/>
    public GuestLeaves? CountLeaves() => _host.CountLeaves();

    public void Dispose()
    {
        foreach (var vcpu in Vcpus)
            vcpu.Dispose();
        _host.Dispose();
        _boot.Dispose();
    }

    private UserspaceMemoryRegion2 Region(uint slot, GfnRange range) =>
        new()
        {
            Slot = slot,
            GuestPhysicalAddress = range.Start.ToGpa().Value,
            MemorySize = range.Count << Page.Shift,
            UserspaceAddress = _memory.Base.Plus(range.Start.Value << Page.Shift).Value,
        };

    private void Set(in UserspaceMemoryRegion2 region)
    {
        // The newer call only where it says more: kernels before 6.8 do not have it, and answer ENOTTY.
        var isSecond = Mode == KvmMode.Userfault;
        var errno = isSecond ? _host.Regions.SetUserMemoryRegion2(region) : _host.Regions.SetUserMemoryRegion(region);
        if (errno != LinuxErrno.None)
        {
            throw new LinuxException(
                $"KVM_SET_USER_MEMORY_REGION{(isSecond ? "2" : "")} of slot {region.Slot} at "
                    + $"0x{region.GuestPhysicalAddress:x}",
                errno
            );
        }
    }
}
