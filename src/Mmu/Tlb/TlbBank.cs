using System.Runtime.CompilerServices;

namespace Userfault.Mmu;

/// <summary>
/// The entries of one leaf size. A set keeps its valid entries first, in order of recent use: the usual hit is the
/// first comparison, and the victim is always the last.
/// </summary>
/// <remarks>
/// Tag: [63:52] generation | [51:0] page number in units of the leaf. A full flush only increments the generation, so
/// that it costs the same for every size; generation 0 is never current and marks empty slots.
/// </remarks>
internal sealed class TlbBank(TlbGeometry geometry, PageLevel level)
{
    private const int GenerationShift = 52;
    private const ulong FirstGeneration = 1UL << GenerationShift;

    private readonly Slot[] _slots = new Slot[geometry.Entries];
    private readonly ulong _setMask = (ulong)geometry.Sets - 1;
    private readonly int _ways = geometry.Ways;
    private readonly int _pagesShift = level.PagesShift();
    private ulong _generation = FirstGeneration;

    /// <summary>Size of the leaves in this bank.</summary>
    public PageLevel Level => level;

    /// <summary>Valid entries.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Finds the leaf that holds <paramref name="gfn"/> and makes it the most recently used of its set.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryFind(ulong gfn, out ulong payload)
    {
        var page = gfn >> _pagesShift;
        var tag = page | _generation;
        ref readonly var first = ref _slots[(int)(page & _setMask) * _ways];
        payload = first.Payload;
        return first.Tag == tag || TryFindBehind(SetOf(page), tag, out payload);
    }

    /// <summary>
    /// Caches a leaf, replacing the entry of the same page, or otherwise the least recently used one.
    /// </summary>
    /// <returns>Was a valid entry of another page evicted?</returns>
    public bool Insert(ulong gfn, ulong payload)
    {
        var page = gfn >> _pagesShift;
        var set = SetOf(page);
        var tag = page | _generation;
        var way = 0;
        while (way < set.Length - 1 && set[way].Tag != tag && IsValid(set[way]))
            way++;
        var evicts = set[way].Tag != tag && IsValid(set[way]);
        if (!IsValid(set[way]))
            Count++;
        MoveToFront(set, way);
        set[0] = new Slot(tag, payload);
        return evicts;
    }

    /// <summary>Drops every leaf that overlaps frames [<paramref name="first"/>, <paramref name="last"/>].</summary>
    /// <returns>Number of leaves dropped.</returns>
    public int Flush(ulong first, ulong last)
    {
        if (Count == 0)
            return 0;
        var before = Count;
        var (firstPage, lastPage) = (first >> _pagesShift, last >> _pagesShift);
        // At most one set per page: pages one by one if there are fewer than sets, otherwise every set once.
        if (lastPage - firstPage <= _setMask)
        {
            for (var page = firstPage; page <= lastPage; page++)
                FlushSet(SetOf(page), firstPage, lastPage);
        }
        else
        {
            for (var set = 0UL; set <= _setMask; set++)
                FlushSet(SetOf(set), firstPage, lastPage);
        }
        return before - Count;
    }

    /// <summary>Drops everything, in constant time except for one call in 4095.</summary>
    public void FlushAll()
    {
        if (Count == 0)
            return;
        Count = 0;
        _generation += FirstGeneration;
        if (_generation != 0)
            return;
        // The counter has wrapped: tags of its first round would become valid again.
        Array.Clear(_slots);
        _generation = FirstGeneration;
    }

    private static bool TryFindBehind(Span<Slot> set, ulong tag, out ulong payload)
    {
        for (var way = 1; way < set.Length; way++)
        {
            if (set[way].Tag != tag)
                continue;
            payload = set[way].Payload;
            MoveToFront(set, way);
            return true;
        }
        payload = 0;
        return false;
    }

    private void FlushSet(Span<Slot> set, ulong firstPage, ulong lastPage)
    {
        var kept = 0;
        var way = 0;
        for (; way < set.Length && IsValid(set[way]); way++)
        {
            var page = set[way].Tag ^ _generation;
            if (page < firstPage || page > lastPage)
                set[kept++] = set[way];
        }
        set[kept..way].Clear();
        Count -= way - kept;
    }

    private Span<Slot> SetOf(ulong page) => _slots.AsSpan((int)(page & _setMask) * _ways, _ways);

    private bool IsValid(Slot slot) => slot.Tag >> GenerationShift == _generation >> GenerationShift;

    private static void MoveToFront(Span<Slot> set, int way)
    {
        var slot = set[way];
        for (; way > 0; way--)
            set[way] = set[way - 1];
        set[0] = slot;
    }

    private readonly record struct Slot(ulong Tag, ulong Payload);
}
