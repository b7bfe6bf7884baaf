namespace Userfault.Mmu;

/// <summary>
/// One lock-free reader, usually one a vCPU: it announces that it is looking at tables, so that table pages which are
/// taken out meanwhile are not used again under its eyes. <see cref="Enter"/> and <see cref="Exit"/> stand around a
/// slice of walks, not around each; a reader that never leaves holds back memory, nothing else. Used by one thread at
/// a time. The kernel's counterpart is <c>kvm_mmu_walk_lockless_begin</c>, or RCU in the TDP MMU.
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
    /// Begins a slice of walks: every table page reached from here on stays as it is until <see cref="Exit"/>.
    /// </summary>
    public void Enter()
    {
        Volatile.Write(ref _announced.Value, _readers.Current);
        // The announcement must be visible before the first entry is read: with the writer's fence between taking a
        // page out and looking at the readers, one of the two sees the other.
        Interlocked.MemoryBarrier();
    }

    /// <summary>Ends the slice: no entry or table seen in it is used any more.</summary>
    public void Exit() => Volatile.Write(ref _announced.Value, TableReaders.Idle);

    /// <summary>Leaves the set of readers for good.</summary>
    public void Dispose()
    {
        Exit();
        _readers.Remove(this);
    }
}
