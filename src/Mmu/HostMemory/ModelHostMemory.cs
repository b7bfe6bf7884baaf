using System.Runtime.CompilerServices;

namespace Userfault.Mmu;

/// <summary>
/// An address space for tests and simulation: mapped areas, missing and poisoned pages, userfault bitmaps. The frame
/// behind an address is the address itself in pages, so that large pages are always aligned.
/// </summary>
/// <remarks>Changed by one thread only; other threads may read while nothing changes.</remarks>
public sealed unsafe class ModelHostMemory : IHostMemory
{
    private readonly List<Area> _areas = [];
    private readonly List<UserfaultBitmap> _bitmaps = [];
    private readonly HashSet<ulong> _missing = [];
    private readonly HashSet<ulong> _poisoned = [];

    /// <summary>Is a signal pending for threads that request a page?</summary>
    public bool HasPendingSignal { get; set; }

    /// <summary>Maps an area, as <c>mmap</c> does; replaces earlier mappings.</summary>
    /// <param name="start">First address in bytes, page aligned.</param>
    /// <param name="sizeBytes">Size in bytes, page aligned.</param>
    /// <param name="level">Maximum size of the area's pages.</param>
    /// <param name="isWritable">May it be written?</param>
    public void Map(Hva start, ulong sizeBytes, PageLevel level = PageLevel.Size4K, bool isWritable = true)
    {
        Unmap(start, sizeBytes);
        _areas.Add(new Area(start.Value, start.Value + sizeBytes, level, isWritable));
        _areas.Sort(static (left, right) => left.Start.CompareTo(right.Start));
    }

    /// <summary>
    /// Unmaps a range; the parts of areas outside of it stay mapped. Guests that map it must be invalidated first.
    /// </summary>
    /// <param name="start">First address in bytes, page aligned.</param>
    /// <param name="sizeBytes">Size in bytes, page aligned.</param>
    public void Unmap(Hva start, ulong sizeBytes)
    {
        var end = start.Value + sizeBytes;
        for (var i = _areas.Count - 1; i >= 0; i--)
        {
            var area = _areas[i];
            if (area.End <= start.Value || area.Start >= end)
                continue;
            _areas.RemoveAt(i);
            if (area.End > end)
                _areas.Insert(i, area with { Start = end });
            if (area.Start < start.Value)
                _areas.Insert(i, area with { End = start.Value });
        }
    }

    /// <summary>
    /// Registers a range without pages with a userfaultfd: threads that request one of its pages sleep. While any page
    /// is missing or poisoned, the model provides no large pages.
    /// </summary>
    /// <param name="start">First address in bytes, page aligned.</param>
    /// <param name="sizeBytes">Size in bytes, page aligned.</param>
    public void SetMissing(Hva start, ulong sizeBytes)
    {
        for (var offset = 0UL; offset < sizeBytes; offset += Page.Size)
            _missing.Add(start.Value + offset);
    }

    /// <summary>Resolves a missing page (UFFDIO_COPY or UFFDIO_CONTINUE).</summary>
    /// <returns>False if the page is present already, which is EEXIST.</returns>
    public bool Resolve(Hva page) => _missing.Remove(page.Value);

    /// <summary>Gives a page a hardware error.</summary>
    public void Poison(Hva page) => _poisoned.Add(page.Value);

    /// <summary>Makes a userfault bitmap readable, at the address of its memory.</summary>
    /// <returns>The value for <see cref="UserspaceMemoryRegion2.UserfaultBitmap"/>.</returns>
    public Hva AddBitmap(UserfaultBitmap bitmap)
    {
        ArgumentNullException.ThrowIfNull(bitmap);
        _bitmaps.Add(bitmap);
        return AddressOf(bitmap);
    }

    /// <summary>The address of a bitmap's first word.</summary>
    public static Hva AddressOf(UserfaultBitmap bitmap)
    {
        ArgumentNullException.ThrowIfNull(bitmap);
        return new Hva((ulong)bitmap.Words);
    }

    /// <summary>Removes a bitmap's memory, as <c>munmap</c> does.</summary>
    public void RemoveBitmap(UserfaultBitmap bitmap) => _bitmaps.Remove(bitmap);

    /// <inheritdoc/>
    public HostPageStatus GetPage(Hva hva, bool write, out HostPage page)
    {
        page = default;
        var index = IndexOfLastStartingAtOrBefore(hva.Value);
        if (index < 0 || hva.Value >= _areas[index].End || (write && !_areas[index].IsWritable))
            return HostPageStatus.Unavailable;
        var area = _areas[index];
        if (_poisoned.Count != 0 && _poisoned.Contains(hva.Value))
            return HostPageStatus.Poisoned;
        if (HasPendingSignal)
            return HostPageStatus.SignalPending;
        if (_missing.Count != 0 && _missing.Contains(hva.Value))
            return HostPageStatus.Blocked;
        page = new HostPage(new Pfn(hva.Value >> Page.Shift), LevelOf(area, hva.Value), area.IsWritable);
        return HostPageStatus.Present;
    }

    /// <inheritdoc/>
    public bool TryReadBitmapWord(Hva address, out ulong word)
    {
        foreach (var bitmap in _bitmaps)
        {
            var offset = address.Value - AddressOf(bitmap).Value;
            var bytes = bitmap.WordCount * sizeof(ulong);
            if (offset >= bytes || bytes - offset < sizeof(ulong))
                continue;
            if (offset % sizeof(ulong) == 0)
            {
                word = Volatile.Read(ref bitmap.Words[offset / sizeof(ulong)]);
                return true;
            }

            word = Unsafe.ReadUnaligned<ulong>((byte*)bitmap.Words + offset);
            Volatile.ReadBarrier();
            return true;
        }

        word = 0;
        return false;
    }

    /// <summary>The largest page that lies entirely within the area.</summary>
    private PageLevel LevelOf(in Area area, ulong address)
    {
        if (_missing.Count != 0 || _poisoned.Count != 0)
            return PageLevel.Size4K;
        var level = area.Level;
        for (; level > PageLevel.Size4K; level--)
        {
            var start = address & ~(level.Bytes() - 1);
            if (start >= area.Start && start + level.Bytes() <= area.End)
                break;
        }

        return level;
    }

    private int IndexOfLastStartingAtOrBefore(ulong address)
    {
        var low = 0;
        var high = _areas.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_areas[middle].Start <= address)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }

    private readonly record struct Area(ulong Start, ulong End, PageLevel Level, bool IsWritable);
}
