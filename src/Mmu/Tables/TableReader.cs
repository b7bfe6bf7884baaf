namespace Userfault.Mmu;

/// <summary>
/// One lock-free reader, usually one per vCPU: it announces that it is reading tables, so that table pages which are
/// removed in the meantime are not reused while it may see them. <see cref="Enter"/> and <see cref="Exit"/> enclose a
/// slice of walks, not each walk; a reader that never exits only delays the freeing of memory. Used by one thread at a
/// time. The kernel's counterpart is <c>kvm_mmu_walk_lockless_begin</c>, or RCU in the TDP MMU.
/// </summary>
public sealed class TableReader : IDisposable
{
    private readonly TableReaders _readers;
    private PaddedEpoch _announced;

    internal TableReader(TableReaders readers)
    {
        _readers = readers;
        _announced.Value = TableReaders.Idle;
    }

    internal ulong Announced => Volatile.Read(ref _announced.Value);

    /// <summary>
    /// Starts a slice of walks: every table page reached from here on keeps its contents until <see cref="Exit"/>.
    /// </summary>
    public void Enter()
    {
        Volatile.Write(ref _announced.Value, _readers.Current);
        // The announcement must be visible before the first entry is read. The writer has a fence between removing a
        // page and reading the announcements, so at least one of the two sees the other's store.
        Interlocked.MemoryBarrier();
    }

    /// <summary>Ends the slice: no entry or table seen in it may be used any more.</summary>
    public void Exit() => Volatile.Write(ref _announced.Value, TableReaders.Idle);

    /// <summary>Removes the reader from the set.</summary>
    public void Dispose()
    {
        Exit();
        _readers.Remove(this);
    }
}
