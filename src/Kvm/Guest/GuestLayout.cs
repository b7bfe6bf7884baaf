using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>
/// The layout of the guest's own memory: code, task state, page tables and a batch page per vCPU, in one memory region
/// after its RAM. RAM and this region are identity-mapped by 2 MiB entries, for user and supervisor alike, with
/// accessed and dirty already set: on a host that shadows the tables, a clean entry would cost an extra fault.
/// </summary>
internal sealed unsafe class GuestLayout
{
    private const int LargeShift = 21;
    private const ulong EntriesPerTable = 512;
    private const ulong Table = 0x67; // present, writable, user, accessed, dirty
    private const ulong LargePage = Table | 0x80;
    private const int IoMapBaseOffset = 102;
    private const int TaskStateBytes = 104;
    private const ulong GuestAddressEnd = 1UL << 47; // the lower half of what four levels reach

    private readonly ulong _firstBatchPage = 3;
    private readonly ulong _directories;
    private readonly ulong _upperTables;

    /// <summary>The layout after a guest's RAM.</summary>
    /// <param name="ramBytes">End of RAM, which starts at 0.</param>
    /// <param name="vcpus">Number of vCPUs.</param>
    /// <exception cref="ArgumentOutOfRangeException">More RAM than four levels of tables map.</exception>
    public GuestLayout(ulong ramBytes, int vcpus)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vcpus);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ramBytes, GuestAddressEnd >> 1);
        Vcpus = vcpus;
        BootGpa = AlignUp(ramBytes, PageLevel.Size1G.Bytes());
        // The region itself is far smaller than 1 GiB, so that one more entry of the upper tables covers it.
        _directories = (BootGpa >> 30) + 1;
        _upperTables = AlignUp(_directories, EntriesPerTable) / EntriesPerTable;
        BootBytes = AlignUp(
            (_firstBatchPage + (ulong)vcpus + _upperTables + _directories) << Page.Shift,
            1UL << LargeShift
        );
    }

    /// <summary>Number of vCPUs that it has room for.</summary>
    public int Vcpus { get; }

    /// <summary>Guest physical address of the region.</summary>
    public ulong BootGpa { get; }

    /// <summary>Its size in bytes, a multiple of 2 MiB.</summary>
    public ulong BootBytes { get; }

    /// <summary>The top-level table: CR3.</summary>
    internal ulong TablesGpa => BootGpa;

    internal ulong TaskStateGpa => PageGpa(1);

    internal ulong CodeGpa => PageGpa(2);

    internal ulong BatchGpa(int vcpu) => PageGpa(_firstBatchPage + (ulong)vcpu);

    /// <summary>A vCPU's batch.</summary>
    /// <param name="boot">Host address of the region's memory.</param>
    /// <param name="vcpu">Its number.</param>
    public GuestBatch Batch(byte* boot, int vcpu)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)vcpu, (uint)Vcpus, nameof(vcpu));
        return new GuestBatch(boot + (BatchGpa(vcpu) - BootGpa));
    }

    /// <summary>Writes code, task state and tables to the region's host memory, which must be zero.</summary>
    public void WriteTo(byte* boot)
    {
        GuestProgram.Assemble().CopyTo(new Span<byte>(boot + (CodeGpa - BootGpa), Page.Size));
        // An I/O permission map of zeros: not every host honours IOPL 3.
        *(ushort*)(boot + (TaskStateGpa - BootGpa) + IoMapBaseOffset) = TaskStateBytes;
        var firstUpper = _firstBatchPage + (ulong)Vcpus;
        var firstDirectory = firstUpper + _upperTables;
        for (ulong i = 0; i < _upperTables; i++)
            Entries(boot, 0)[i] = PageGpa(firstUpper + i) | Table;
        for (ulong i = 0; i < _directories; i++)
        {
            // Upper tables are adjacent, so that their entries are contiguous; so are directories.
            Entries(boot, firstUpper)[i] = PageGpa(firstDirectory + i) | Table;
        }

        var large = (BootGpa + BootBytes) >> LargeShift;
        for (ulong i = 0; i < large; i++)
            Entries(boot, firstDirectory)[i] = (i << LargeShift) | LargePage;
    }

    private ulong PageGpa(ulong index) => BootGpa + (index << Page.Shift);

    private static ulong* Entries(byte* boot, ulong page) => (ulong*)(boot + (page << Page.Shift));

    private static ulong AlignUp(ulong value, ulong alignment) => (value + alignment - 1) / alignment * alignment;
}
