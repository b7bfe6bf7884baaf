using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>
/// Where the guest's own memory lies: code, task state, page tables and a batch page a vCPU, in one memory region
/// behind its RAM. RAM and this region are mapped at their own addresses by 2 MiB entries, for user and supervisor
/// alike, with accessed and dirty set beforehand: where a host shadows the tables, a clean entry would cost a fault of
/// its own.
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

    /// <summary>The layout behind a guest's RAM.</summary>
    /// <param name="ramBytes">End of RAM, which starts at 0.</param>
    /// <param name="vcpus">How many vCPUs.</param>
    /// <exception cref="ArgumentOutOfRangeException">More RAM than four levels of tables map.</exception>
    public GuestLayout(ulong ramBytes, int vcpus)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vcpus);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ramBytes, GuestAddressEnd >> 1);
        Vcpus = vcpus;
        BootGpa = AlignUp(ramBytes, PageLevel.Size1G.Bytes());
        // The region's own pages are few against 1 GiB, so that they lie below one more entry of the upper tables.
        _directories = (BootGpa >> 30) + 1;
        _upperTables = AlignUp(_directories, EntriesPerTable) / EntriesPerTable;
        BootBytes = AlignUp(
            (_firstBatchPage + (ulong)vcpus + _upperTables + _directories) << Page.Shift,
            1UL << LargeShift
        );
    }

    /// <summary>How many vCPUs it has room for.</summary>
    public int Vcpus { get; }

    /// <summary>Where the region starts, in the guest.</summary>
    public ulong BootGpa { get; }

    /// <summary>Its size in bytes, a multiple of 2 MiB.</summary>
    public ulong BootBytes { get; }

    /// <summary>The top table: CR3.</summary>
    internal ulong TablesGpa => BootGpa;

    internal ulong TaskStateGpa => PageGpa(1);

    internal ulong CodeGpa => PageGpa(2);

    internal ulong BatchGpa(int vcpu) => PageGpa(_firstBatchPage + (ulong)vcpu);

    /// <summary>A vCPU's batch.</summary>
    /// <param name="boot">Host memory of the region.</param>
    /// <param name="vcpu">Its number.</param>
    public GuestBatch Batch(byte* boot, int vcpu)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)vcpu, (uint)Vcpus, nameof(vcpu));
        return new GuestBatch(boot + (BatchGpa(vcpu) - BootGpa));
    }

    /// <summary>Writes code, task state and tables into the region's host memory, which must be zero.</summary>
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
            // Upper tables lie side by side, so that entries go on from one to the next; so do directories.
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
