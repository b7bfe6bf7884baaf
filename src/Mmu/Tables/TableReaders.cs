namespace Userfault.Mmu;

/// <summary>
/// All readers of a set of tables (usually of a VM), and the epochs by which a writer knows that they have moved on.
/// </summary>
/// <remarks>
/// A writer removes a page (one atomic store), reads the epoch, and may free the page once every reader that is inside
/// a slice has announced a later epoch. Safe for any number of writers and readers.
/// </remarks>
public sealed class TableReaders
{
    internal const ulong Idle = ulong.MaxValue;

    private readonly Lock _registration = new();
    private TableReader[] _readers = [];
    private PaddedEpoch _current;

    /// <summary>The current epoch.</summary>
    public ulong Current => Volatile.Read(ref _current.Value);

    /// <summary>Adds a reader.</summary>
    public TableReader Add()
    {
        var reader = new TableReader(this);
        lock (_registration)
        {
            Volatile.Write(ref _readers, [.. _readers, reader]);
        }
        return reader;
    }

    /// <summary>
    /// Starts a new epoch. Full fence: a reader that enters in the new epoch sees everything that the caller did
    /// before.
    /// </summary>
    /// <returns>The epoch that ended, for <see cref="HasPassed"/>.</returns>
    public ulong Advance() => Interlocked.Increment(ref _current.Value) - 1;

    /// <summary>Has every reader that may have entered in <paramref name="epoch"/> or before left its slice?</summary>
    public bool HasPassed(ulong epoch) => epoch < OldestAnnounced();

    internal ulong OldestAnnounced()
    {
        Interlocked.MemoryBarrier();
        var oldest = Idle;
        foreach (var reader in Volatile.Read(ref _readers))
        {
            oldest = Math.Min(oldest, reader.Announced);
        }
        return oldest;
    }

    internal void Remove(TableReader reader)
    {
        lock (_registration)
        {
            Volatile.Write(ref _readers, Array.FindAll(_readers, r => r != reader));
        }
    }
}
