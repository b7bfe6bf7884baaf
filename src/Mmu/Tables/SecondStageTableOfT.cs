using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Userfault.Mmu;

// The walk, and the building blocks of all operations. Entries are read and written whole and atomically:
// - the writer links a table only after its page is filled, so a reader sees the state before or after the store and
//   nothing in between;
// - leaves are changed by compare-and-swap, because vCPUs set accessed and dirty bits in them at any time;
// - an entry that led to a table is overwritten by an exchange, whose full fence the retiring of pages relies on.

/// <summary>
/// The table of one format. Use this type directly where the format is known, so that the walk is inlined.
/// </summary>
/// <typeparam name="TFormat">The format.</typeparam>
public sealed unsafe partial class SecondStageTable<TFormat> : SecondStageTable
    where TFormat : struct, IPteFormat
{
    private const int IndexMask = PageLevels.EntriesPerTable - 1;

    private readonly ulong* _root;
    private readonly int _rootLevel;
    private readonly int _rootShift;
    private readonly ulong _limit;
    private readonly TablePages _pages;
    private readonly ulong* _poison;
    private readonly long[] _leaves = new long[(int)PageLevel.Size1G + 1];
    private bool _disposed;

    /// <summary>Creates an empty table.</summary>
    /// <param name="addressBits">Width of a guest physical address, in bits.</param>
    /// <param name="options">Readers and diagnostics; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">The format has no table of that width.</exception>
    public SecondStageTable(int addressBits, TableOptions? options = null)
        : base(TFormat.GeometryFor(addressBits), options?.Readers ?? new TableReaders())
    {
        var rootBytes = (nuint)Geometry.RootTables << Page.Shift;
        _root = TablePages.AllocateAligned(rootBytes);
        NativeMemory.Clear(_root, rootBytes);
        _rootLevel = (int)Geometry.RootLevel;
        _rootShift = Geometry.RootLevel.PagesShift();
        _limit = Geometry.LimitPages;
        if (options is { PoisonFreedPages: true })
        {
            // A page of entries that lead to the page itself: a reader that strays into it ends at a leaf of a frame
            // that no guest has.
            _poison = TablePages.AllocateAligned(Page.Size);
            new Span<ulong>(_poison, PageLevels.EntriesPerTable).Fill(TFormat.MakeTable((ulong)_poison));
        }
        _pages = new TablePages(Readers, _poison == null ? 0 : TFormat.MakeTable((ulong)_poison));
    }

    /// <inheritdoc/>
    public override bool NeedsBreakBeforeMake => TFormat.NeedsBreakBeforeMake;

    /// <inheritdoc/>
    public override ulong RootAddress => (ulong)_root;

    /// <inheritdoc/>
    public override TableCounters Counters =>
        new(
            _leaves[(int)PageLevel.Size4K],
            _leaves[(int)PageLevel.Size2M],
            _leaves[(int)PageLevel.Size1G],
            _pages.InUse + Geometry.RootTables,
            _pages.Retired,
            _pages.ReservedBytes + ((long)Geometry.RootTables << Page.Shift)
        );

    /// <inheritdoc/>
    public override WalkResult Walk(Gfn gfn)
    {
        Find(gfn.Value, out var pte, out var level);
        return WalkResult.Of<TFormat>(pte, level, gfn);
    }

    /// <inheritdoc/>
    public override bool TryAccess(Gfn gfn, Access access, out WalkResult result)
    {
        while (true)
        {
            var entry = Find(gfn.Value, out var pte, out var level);
            result = WalkResult.Of<TFormat>(pte, level, gfn);
            if (!result.Permits(access))
            {
                return false;
            }
            var touched = TFormat.Touch(pte, access);
            if (touched == pte)
            {
                return true;
            }
            // If another vCPU or the writer changed the entry first, hardware walks again, and so does this loop.
            if (Interlocked.CompareExchange(ref *entry, touched, pte) == pte)
            {
                result = WalkResult.Of<TFormat>(touched, level, gfn);
                return true;
            }
        }
    }

    /// <inheritdoc/>
    public override long Reclaim()
    {
        _pages.Reclaim();
        return _pages.Retired;
    }

    /// <inheritdoc/>
    public override void Dump(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        new TableDump<TFormat>(writer, Geometry).Print(_root, Counters);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        _pages.Dispose();
        NativeMemory.AlignedFree(_root);
        NativeMemory.AlignedFree(_poison);
    }

    // Walks to the entry that decides about gfn: a leaf, or the entry at which the walk cannot continue.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* Find(ulong gfn, out ulong pte, out PageLevel level)
    {
        if (gfn >= _limit)
        {
            pte = 0;
            level = (PageLevel)_rootLevel;
            return null;
        }
        var shift = _rootShift;
        // Concatenated root tables are adjacent: the index simply has more bits.
        var entry = _root + (gfn >> shift);
        pte = Volatile.Read(ref *entry);
        while (shift != 0 && TFormat.IsTable(pte))
        {
            shift -= PageLevels.IndexBits;
            entry = (ulong*)TFormat.TableOf(pte) + ((gfn >> shift) & IndexMask);
            pte = Volatile.Read(ref *entry);
        }
        level = (PageLevel)((uint)shift / PageLevels.IndexBits + 1);
        return entry;
    }

    private int IndexIn(PageLevel level, ulong gfn)
    {
        var index = gfn >> level.PagesShift();
        return (int)((int)level == _rootLevel ? index : index & IndexMask);
    }

    private void CountUsed(in TableEntry entry, int change)
    {
        // The root is never removed, whatever it holds.
        if ((int)entry.Level != _rootLevel)
        {
            TablePages.InfoOf(entry.Table)->Used += change;
        }
    }

    // Links a complete table at an empty or broken entry.
    private ulong* LinkNewTable(in TableEntry entry)
    {
        var child = _pages.Allocate();
        Volatile.Write(ref *entry.Pointer, TFormat.MakeTable((ulong)child));
        CountUsed(entry, 1);
        return child;
    }

    // Empties a leaf or a broken leaf, and returns its last value.
    internal ulong RemoveLeaf(in TableEntry entry)
    {
        var last = Interlocked.Exchange(ref *entry.Pointer, 0);
        if (TFormat.Classify(last, entry.Level) == PteKind.Leaf)
        {
            _leaves[(int)entry.Level]--;
        }
        CountUsed(entry, -1);
        return last;
    }

    // Replaces a table by replacement (a leaf, broken or not, or nothing), and retires the table with everything below
    // it.
    internal void RemoveTable(in TableEntry entry, ulong replacement = 0)
    {
        var last = Interlocked.Exchange(ref *entry.Pointer, replacement);
        if (replacement == 0)
        {
            CountUsed(entry, -1);
        }
        else if (TFormat.Classify(replacement, entry.Level) == PteKind.Leaf)
        {
            _leaves[(int)entry.Level]++;
        }
        RetireTable((ulong*)TFormat.TableOf(last), entry.Level - 1);
    }

    // Tables of 4 KiB leaves, which outnumber all others by a factor of 512, are retired without reading them.
    private void RetireTable(ulong* table, PageLevel level)
    {
        if (level == PageLevel.Size4K)
        {
            _leaves[(int)level] -= TablePages.InfoOf(table)->Used;
        }
        else
        {
            for (var i = 0; i < PageLevels.EntriesPerTable; i++)
            {
                var kind = TFormat.Classify(table[i], level);
                if (kind == PteKind.Table)
                {
                    RetireTable((ulong*)TFormat.TableOf(table[i]), level - 1);
                }
                else if (kind == PteKind.Leaf)
                {
                    _leaves[(int)level]--;
                }
            }
        }
        _pages.Retire(table);
    }
}
