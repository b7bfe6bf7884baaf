namespace Userfault.Mmu;

/// <summary>Counters of a TLB since its creation.</summary>
public record struct TlbStats
{
    /// <summary>Lookups answered by a 4 KiB entry.</summary>
    public ulong Hits4K { get; set; }

    /// <summary>Lookups answered by a 2 MiB entry.</summary>
    public ulong Hits2M { get; set; }

    /// <summary>Lookups answered by a 1 GiB entry.</summary>
    public ulong Hits1G { get; set; }

    /// <summary>Lookups without an entry for the frame.</summary>
    public ulong Misses { get; set; }

    /// <summary>
    /// Lookups that found the frame, but no entry that permits the access (or, for a write, none that is dirty):
    /// hardware walks again.
    /// </summary>
    public ulong PermissionMisses { get; set; }

    /// <summary>Valid entries that were replaced by others.</summary>
    public ulong Evictions { get; set; }

    /// <summary>Flushes of a range.</summary>
    public ulong RangeFlushes { get; set; }

    /// <summary>Flushes of everything.</summary>
    public ulong FullFlushes { get; set; }

    /// <summary>Lookups answered by any entry.</summary>
    public readonly ulong Hits => Hits4K + Hits2M + Hits1G;

    /// <summary>All lookups.</summary>
    public readonly ulong Lookups => Hits + Misses + PermissionMisses;
}
