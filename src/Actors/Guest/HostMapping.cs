using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// The destination VMM's own mapping of guest memory, as the host kernel sees it: which pages exist, which of them are
/// mapped, and which faults userfaultfd is registered for. KVM looks up the host page of a gfn here, and UFFDIO_COPY,
/// CONTINUE and ZEROPAGE act on it. The state of a page is changed only by its memslot's actor.
/// </summary>
/// <remarks>
/// Anonymous memory: a page exists if it is mapped. Shared memory has a page cache as well: content can be written to
/// the cache through a second mapping before the guest's mapping has it. guest_memfd has a cache and no mapping. A
/// frame number is the page's number in guest memory plus a constant: neighbours in the guest are neighbours in the
/// host.
/// </remarks>
public sealed unsafe class HostMapping : IHostMemory, IGuestMemfd, IDisposable
{
    /// <summary>
    /// The frame of the first page: aligned for the largest leaf, and far from zero, so that a frame number cannot be
    /// mistaken for a page number.
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

    /// <summary>A mapping of <paramref name="pages"/> pages, none of which exists yet.</summary>
    /// <param name="kind">The backing of guest memory.</param>
    /// <param name="at">Host virtual address of page 0 of guest memory.</param>
    /// <param name="pages">Size in pages.</param>
    /// <param name="modes">The faults that userfaultfd is registered for.</param>
    public HostMapping(MemoryKind kind, Hva at, ulong pages, UffdModes modes)
    {
        (_kind, _base, _pages, Modes) = (kind, at, pages, modes);
        _mapped = UserfaultBitmap.Allocate(pages);
        _cached = kind == MemoryKind.Anonymous ? _mapped : UserfaultBitmap.Allocate(pages);
    }

    /// <summary>The faults that userfaultfd is registered for.</summary>
    public UffdModes Modes { get; }

    /// <summary>Does the page have content, mapped or not?</summary>
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

    /// <summary>The address of a bitmap's words in the VMM's memory.</summary>
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
    /// An access to a page through the mapping: by KVM itself, the VMM, or get_user_pages for a vCPU. Null if it
    /// succeeds; otherwise the event on which the accessor sleeps.
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
        // userfaultfd is not registered for it: the kernel supplies a page of zeros.
        _cached.Set(memoryPage.Value);
        _mapped.Set(memoryPage.Value);
        return null;
    }

    /// <summary>
    /// Writes content to the page cache or the guest_memfd through the VMM's second mapping, without mapping it for the
    /// guest; for anonymous memory without userfaultfd, a plain copy through the mapping.
    /// </summary>
    /// <returns>EEXIST if the page has content already: nothing is overwritten.</returns>
    public Errno Populate(in PageContent content, IGuestMemory memory)
    {
        Place(content, memory);
        return MarkPopulated(content.Page);
    }

    /// <summary>
    /// The first half of <see cref="Populate"/>: writes the content unless the page has some already. No other code may
    /// rely on it before <see cref="MarkPopulated"/>.
    /// </summary>
    public void Place(in PageContent content, IGuestMemory memory)
    {
        if (!_cached.IsSet(content.Page.Value))
            memory.Place(content);
    }

    /// <summary>The second half of <see cref="Populate"/>: the page counts as populated from here on.</summary>
    /// <returns>EEXIST if the page was populated before.</returns>
    public Errno MarkPopulated(MemoryPage memoryPage)
    {
        if (_cached.IsSet(memoryPage.Value))
            return Errno.EEXIST;
        _cached.Set(memoryPage.Value);
        return Errno.None;
    }

    /// <summary>
    /// UFFDIO_COPY, and UFFDIO_ZEROPAGE if the content is zero: the whole content appears in the mapping atomically.
    /// </summary>
    /// <returns>EEXIST if the page is populated; ENOENT if the range is not registered.</returns>
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

    /// <summary>UFFDIO_CONTINUE: maps a page that is in the page cache.</summary>
    /// <returns>EFAULT if the page is not in the cache, EEXIST if it is mapped, ENOENT if MINOR is not
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
        // guest_memfd allocates single pages: its leaves are never larger.
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

    /// <summary>The page of guest memory that a frame holds.</summary>
    public static MemoryPage PageOf(Pfn pfn) => new(pfn.Value - FirstPfn);

    private HostPage Describe(MemoryPage memoryPage)
    {
        // As khugepaged would do it: 2 MiB of neighbours that are all mapped are one huge page.
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
