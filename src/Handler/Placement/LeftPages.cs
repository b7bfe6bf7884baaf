using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Missing pages that could not be put in place because their range is not mapped, or not registered, any more
/// (ENOENT). They are not in place: a fault on one, which shows that it can be touched again, brings its content. Until
/// then nobody has to bring it. Allocates at the first such page. One owner.
/// </summary>
/// <param name="pages">Pages of the memory file.</param>
/// <param name="counters">Where to tell how many there are.</param>
internal sealed class LeftPages(ulong pages, PagerCounters counters) : IDisposable
{
    private UserfaultBitmap? _bits;

    /// <summary>Are there any?</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>How many there are.</summary>
    public ulong Count { get; private set; }

    /// <summary>Is the page one of them?</summary>
    public bool Has(MemoryPage page) => Count > 0 && _bits!.IsSet(page.Value);

    /// <summary>Adds pages; answers how many are new.</summary>
    public ulong Add(MemoryPage first, ulong count)
    {
        _bits ??= UserfaultBitmap.Allocate(pages);
        ulong added = 0;
        for (ulong i = 0; i < count; i++)
        {
            if (_bits.IsSet(first.Value + i))
                continue;
            _bits.Set(first.Value + i);
            added++;
        }
        Count += added;
        counters.SetLeft(Count);
        return added;
    }

    /// <summary>Takes pages out; answers how many were in.</summary>
    public ulong Remove(MemoryPage first, ulong count)
    {
        if (Count == 0)
            return 0;
        var removed = _bits!.ClearRange(first.Value, count);
        Count -= removed;
        counters.SetLeft(Count);
        return removed;
    }

    /// <inheritdoc/>
    public void Dispose() => _bits?.Dispose();
}
