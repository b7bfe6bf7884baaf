using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// The destination VMM's own mapping of guest memory, as the host kernel sees it: which pages exist, which of them are
/// mapped, and what userfaultfd is registered for. This is where KVM looks for the page behind a memoryPage, and where
/// UFFDIO_COPY, CONTINUE and ZEROPAGE act. Bits of a page are changed by its memslot's actor alone.
/// </summary>
/// <remarks>
/// Anonymous memory: a page exists where it is mapped. Shared memory has a page cache beside: content can be in the
/// cache, put there through a second mapping, before the guest's mapping has it. guest_memfd has a cache and no
/// mapping. Frames are numbered so that a frame is its memoryPage plus a constant: neighbours in the guest are neighbours in
/// the host.
/// </remarks>
public sealed unsafe class HostMapping : IHostMemory, IGuestMemfd, IDisposable
{
    /// <summary>
    /// The frame of the first page: aligned for the largest leaf, and far from zero, so that no frame is taken for a
    /// memoryPage.
    /// </summary>
    public const ulong FirstPfn = 1UL << 24;
    private const ulong HugePages = 512;

    private readonly MemoryKind _kind;
    private readonly Hva _base;
    private readonly ulong _pages;
    private readonly UserfaultBitmap _cached;
    private readonly UserfaultBitmap _mapped;
    private readonly Lock _bitmapsLock = new();

    // By start, apart from each other.
    private readonly List<(ulong Start, ulong End)> _bitmaps = [];

    /// <summary>The mapping of <paramref name="pages"/> pages, nothing of which exists yet.</summary>
    /// <param name="kind">What backs it.</param>
    /// <param name="at">Host virtual address of memoryPage 0's page.</param>
    /// <param name="pages">Size in pages.</param>
    /// <param name="modes">What userfaultfd is registered for.</param>
    public HostMapping(MemoryKind kind, Hva at, ulong pages, UffdModes modes)
    {
        (_kind, _base, _pages, Modes) = (kind, at, pages, modes);
        _mapped = UserfaultBitmap.Allocate(pages);
        _cached = kind == MemoryKind.Anonymous ? _mapped : UserfaultBitmap.Allocate(pages);
    }

    /// <summary>What userfaultfd is registered for.</summary>
    public UffdModes Modes { get; }

    /// <summary>Does the page have content of its own, mapped or not?</summary>
    public bool IsPopulated(MemoryPage memoryPage) => _cached.IsSet(memoryPage.Value);

    /// <summary>Is the page mapped, so that an access to it does not fault?</summary>
    public bool IsMapped(MemoryPage memoryPage) => _mapped.IsSet(memoryPage.Value);

    /// <summary>Makes a userfault bitmap readable at its address, as memory of the VMM.</summary>
    public void ExposeBitmap(UserfaultBitmap bitmap)
    {
        var start = (ulong)bitmap.Words;
        lock (_bitmapsLock)
        {
            // Mostly the last: allocations ascend.
            var index = BitmapAtOrBefore(start);
            if (index < 0 || _bitmaps[index].Start != start)
                _bitmaps.Insert(index + 1, (start, start + (bitmap.WordCount * sizeof(ulong))));
        }
    }

    /// <summary>Where a bitmap's words lie in the VMM's memory.</summary>
    public static Hva AddressOf(UserfaultBitmap bitmap) => new((ulong)bitmap.Words);

    /// <summary>Can a bitmap be read at this address?</summary>
    public bool HoldsBitmap(Hva address) => Holds(address.Value, bytes: 1);

    /// <inheritdoc/>
    public HostPageStatus GetPage(Hva hva, bool write, out HostPage page)
    {
        var memoryPage = PageOf(hva);
        page = default;
        if (_kind == MemoryKind.GuestMemfd || memoryPage.Value >= _pages)
            return HostPageStatus.Unavailable;
        if (Touch(memoryPage) is not null)
            return HostPageStatus.Blocked;
        page = Describe(memoryPage);
        return HostPageStatus.Present;
    }

    /// <inheritdoc/>
    public bool TryReadBitmapWord(Hva address, out ulong word)
    {
        var isReadable = Holds(address.Value, sizeof(ulong));
        word = isReadable ? Volatile.Read(ref *(ulong*)address.Value) : 0;
        return isReadable;
    }

    /// <summary>
    /// An access to a page through the mapping, by KVM itself, the VMM, or get_user_pages for a vCPU. Null where it
    /// goes through; else the event on which the accessor sleeps.
    /// </summary>
    public UffdEvent? Touch(MemoryPage memoryPage, bool write = false)
    {
        if (_mapped.IsSet(memoryPage.Value))
            return null;
        if (_cached.IsSet(memoryPage.Value))
        {
            if ((Modes & UffdModes.Minor) != 0)
                return new UffdEvent(memoryPage, IsMinor: true, write);
            _mapped.Set(memoryPage.Value);
            return null;
        }

        if ((Modes & UffdModes.Missing) != 0)
            return new UffdEvent(memoryPage, IsMinor: false, write);
        // Nobody registered for it: the kernel gives a page of zeros.
        _cached.Set(memoryPage.Value);
        _mapped.Set(memoryPage.Value);
        return null;
    }

    /// <summary>
    /// Puts content into the page cache or the guest_memfd through the VMM's second way to it, without mapping it;
    /// for anonymous memory without userfaultfd, a plain copy through the mapping.
    /// </summary>
    /// <returns>EEXIST where the page has content already: nothing is overwritten.</returns>
    public Errno Populate(in PageContent content, IGuestMemory memory)
    {
        Place(content, memory);
        return MarkPopulated(content.Page);
    }

    /// <summary>
    /// The first half of <see cref="Populate"/>: the content alone, unless the page has some already. Nobody may rely
    /// on it before <see cref="MarkPopulated"/>.
    /// </summary>
    public void Place(in PageContent content, IGuestMemory memory)
    {
        if (!_cached.IsSet(content.Page.Value))
            memory.Place(content);
    }

    /// <summary>The second half of <see cref="Populate"/>: the content that was placed counts from here on.</summary>
    /// <returns>EEXIST where the page had content before.</returns>
    public Errno MarkPopulated(MemoryPage memoryPage)
    {
        if (_cached.IsSet(memoryPage.Value))
            return Errno.EEXIST;
        _cached.Set(memoryPage.Value);
        return Errno.None;
    }

    /// <summary>
    /// UFFDIO_COPY, and UFFDIO_ZEROPAGE where the content is zero: content appears in the mapping at once, whole.
    /// </summary>
    /// <returns>EEXIST where a page is there; ENOENT where the range is not registered.</returns>
    public Errno Copy(in PageContent content, IGuestMemory memory)
    {
        if (Modes == UffdModes.None)
            return Errno.ENOENT;
        var populated = Populate(content, memory);
        if (populated != Errno.None)
            return populated;
        _mapped.Set(content.Page.Value);
        return Errno.None;
    }

    /// <summary>UFFDIO_CONTINUE: maps what is in the page cache.</summary>
    /// <returns>EFAULT where nothing is in the cache, EEXIST where it is mapped, ENOENT where MINOR is not
    /// registered.</returns>
    public Errno Continue(MemoryPage memoryPage)
    {
        if ((Modes & UffdModes.Minor) == 0)
            return Errno.ENOENT;
        if (!_cached.IsSet(memoryPage.Value))
            return Errno.EFAULT;
        if (_mapped.IsSet(memoryPage.Value))
            return Errno.EEXIST;
        _mapped.Set(memoryPage.Value);
        return Errno.None;
    }

    /// <inheritdoc/>
    public Errno Bind(SlotId slot, ulong firstPage, ulong pages) =>
        firstPage + pages <= _pages ? Errno.None : Errno.EINVAL;

    /// <inheritdoc/>
    public void Unbind(SlotId slot) { }

    /// <inheritdoc/>
    public HostPageStatus GetPage(ulong index, out HostPage page)
    {
        page = default;
        if (index >= _pages)
            return HostPageStatus.Unavailable;
        _cached.Set(index);
        // guest_memfd allocates single pages: no leaf of its own is larger.
        page = new HostPage(new Pfn(FirstPfn + index), PageLevel.Size4K, IsWritable: true);
        return HostPageStatus.Present;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _mapped.Dispose();
        if (!ReferenceEquals(_cached, _mapped))
            _cached.Dispose();
    }

    /// <summary>The page of guest memory at a host virtual address.</summary>
    public MemoryPage PageOf(Hva hva) => new((hva.Value - _base.Value) >> Page.Shift);

    /// <summary>The page of guest memory that a frame is.</summary>
    public static MemoryPage PageOf(Pfn pfn) => new(pfn.Value - FirstPfn);

    private HostPage Describe(MemoryPage memoryPage)
    {
        // As khugepaged would have it: 2 MiB of neighbours that are all mapped are one huge page.
        var first = memoryPage.Value & ~(HugePages - 1);
        var isHuge = first + HugePages <= _pages && _mapped.Count(first, HugePages) == HugePages;
        return new HostPage(
            new Pfn(FirstPfn + memoryPage.Value),
            isHuge ? PageLevel.Size2M : PageLevel.Size4K,
            IsWritable: true
        );
    }

    private bool Holds(ulong address, ulong bytes)
    {
        lock (_bitmapsLock)
        {
            var index = BitmapAtOrBefore(address);
            return index >= 0 && address + bytes <= _bitmaps[index].End;
        }
    }

    private int BitmapAtOrBefore(ulong address)
    {
        var (low, high) = (0, _bitmaps.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_bitmaps[middle].Start <= address)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }
}
