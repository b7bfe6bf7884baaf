namespace Userfault.Mmu;

/// <summary>
/// A vCPU's cache of second-stage translations: set associative, one bank per leaf size, least recently used entries
/// are replaced first. It behaves like hardware in the cases that software gets wrong: a cached translation stays until
/// it is flushed or evicted, whatever happens to the table, so that a missing flush becomes visible. Only the vCPU that
/// owns it may use it.
/// </summary>
/// <remarks>
/// A write hits only an entry that was cached with the dirty bit set; otherwise the walk must run again and set it in
/// the table. An insert does not search for a replaced leaf of another size: stale and new entries may coexist until
/// the flush, as on a real machine, and the smaller size takes precedence.
/// </remarks>
public sealed class Tlb
{
    // Payload of an entry: [63:12] first frame of the leaf | [3] dirty | [2:0] X W R
    private const ulong DirtyBit = 1 << 3;
    private const ulong AccessMask = (ulong)(Access.Read | Access.Write | Access.Execute);

    /// <summary>Frames that can be cached: [0, 2^52), every gfn of a 64-bit guest physical address.</summary>
    public const ulong FrameLimit = 1UL << 52;

    private readonly TlbBank _small;
    private readonly TlbBank? _large;
    private readonly TlbBank? _huge;
    private TlbStats _stats;

    /// <summary>An empty TLB.</summary>
    /// <exception cref="ArgumentException"><paramref name="config"/> has no 4 KiB entries.</exception>
    public Tlb(TlbConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Size4K == TlbGeometry.None)
            throw new ArgumentException("A TLB has 4 KiB entries.", nameof(config));
        _small = new TlbBank(config.Size4K, PageLevel.Size4K);
        if (config.Size2M != TlbGeometry.None)
            _large = new TlbBank(config.Size2M, PageLevel.Size2M);
        if (config.Size1G != TlbGeometry.None)
            _huge = new TlbBank(config.Size1G, PageLevel.Size1G);
    }

    /// <summary>Counters since the start.</summary>
    public TlbStats Stats => _stats;

    /// <summary>Valid entries of all sizes.</summary>
    public int Count => _small.Count + (_large?.Count ?? 0) + (_huge?.Count ?? 0);

    /// <summary>Translates one access without a walk.</summary>
    /// <param name="gfn">The guest frame.</param>
    /// <param name="access">The kind of access; every bit of it must be permitted.</param>
    /// <param name="entry">The translation; default if the result is false.</param>
    /// <returns>False: walk the table, then <see cref="Insert"/> the result of the walk.</returns>
    public bool Lookup(Gfn gfn, Access access, out TlbEntry entry)
    {
        var needed = (ulong)access | ((access & Access.Write) != 0 ? DirtyBit : 0);
        // Small pages first, apart from the rest: a userfault slot has no others, and this path must stay short.
        if (gfn.Value < FrameLimit && _small.TryFind(gfn.Value, out var payload) && (needed & ~payload) == 0)
        {
            _stats.Hits4K++;
            entry = Decode(payload, gfn, PageLevel.Size4K);
            return true;
        }
        return LookupLarge(gfn, needed, out entry);
    }

    /// <summary>
    /// Caches the result of a walk for <paramref name="gfn"/>. If the TLB has no entries of that size, the part around
    /// <paramref name="gfn"/> goes into the next smaller size, as hardware splinters it.
    /// </summary>
    /// <param name="gfn">The guest frame of the walk.</param>
    /// <param name="pfn">The host frame behind <paramref name="gfn"/>, not the leaf's first one.</param>
    /// <param name="access">The permissions of the leaf.</param>
    /// <param name="level">Size of the leaf: 4 KiB, 2 MiB or 1 GiB.</param>
    /// <param name="dirty">The leaf's dirty bit after the walk; true for tables without dirty bits.</param>
    /// <exception cref="ArgumentOutOfRangeException">A frame at or above <see cref="FrameLimit"/>, or a size that is
    /// never a leaf.</exception>
    /// <exception cref="ArgumentException">The two frames have different offsets within the leaf, which no table can
    /// produce.</exception>
    public void Insert(Gfn gfn, Pfn pfn, Access access, PageLevel level, bool dirty)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(gfn.Value, FrameLimit, nameof(gfn));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(pfn.Value, FrameLimit, nameof(pfn));
        if (level is < PageLevel.Size4K or > PageLevel.Size1G)
            throw new ArgumentOutOfRangeException(nameof(level));
        if (((gfn.Value ^ pfn.Value) & (level.Pages() - 1)) != 0)
        {
            throw new ArgumentException(
                $"{gfn} and {pfn} differ in their place within a leaf of {level}.",
                nameof(pfn)
            );
        }
        var bank = BankFor(level);
        var leaf = pfn.Value & ~(bank.Level.Pages() - 1);
        var payload = (leaf << Page.Shift) | ((ulong)access & AccessMask) | (dirty ? DirtyBit : 0);
        if (bank.Insert(gfn.Value, payload))
            _stats.Evictions++;
    }

    /// <summary>Drops every entry that overlaps <paramref name="range"/>; a large leaf as a whole.</summary>
    /// <returns>Number of entries dropped.</returns>
    public int FlushRange(GfnRange range)
    {
        _stats.RangeFlushes++;
        if (range.IsEmpty || range.Start.Value >= FrameLimit)
            return 0;
        var first = range.Start.Value;
        var last = first + Math.Min(range.Count, FrameLimit - first) - 1;
        return _small.Flush(first, last) + (_large?.Flush(first, last) ?? 0) + (_huge?.Flush(first, last) ?? 0);
    }

    /// <summary>Drops every entry.</summary>
    public void FlushAll()
    {
        _stats.FullFlushes++;
        _small.FlushAll();
        _large?.FlushAll();
        _huge?.FlushAll();
    }

    private TlbBank BankFor(PageLevel level) =>
        level == PageLevel.Size1G && _huge is not null ? _huge
        : level >= PageLevel.Size2M && _large is not null ? _large
        : _small;

    private bool LookupLarge(Gfn gfn, ulong needed, out TlbEntry entry)
    {
        entry = default;
        var found = false;
        if (gfn.Value < FrameLimit)
        {
            if (TryBank(_large, gfn, needed, ref found, out var payload))
            {
                _stats.Hits2M++;
                entry = Decode(payload, gfn, PageLevel.Size2M);
                return true;
            }
            if (TryBank(_huge, gfn, needed, ref found, out payload))
            {
                _stats.Hits1G++;
                entry = Decode(payload, gfn, PageLevel.Size1G);
                return true;
            }
            found |= _small.TryFind(gfn.Value, out _);
        }
        if (found)
            _stats.PermissionMisses++;
        else
            _stats.Misses++;
        return false;
    }

    private static bool TryBank(TlbBank? bank, Gfn gfn, ulong needed, ref bool found, out ulong payload)
    {
        payload = 0;
        // An empty bank costs one test.
        if (bank is null || bank.Count == 0 || !bank.TryFind(gfn.Value, out payload))
            return false;
        found = true;
        return (needed & ~payload) == 0;
    }

    private static TlbEntry Decode(ulong payload, Gfn gfn, PageLevel level) =>
        new(
            new Pfn((payload >> Page.Shift) | (gfn.Value & (level.Pages() - 1))),
            (Access)(payload & AccessMask),
            level,
            (payload & DirtyBit) != 0
        );
}
