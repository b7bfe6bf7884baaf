using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// What of a mapped image is in memory is made ready while nobody waits: mapped into this process, and its zero pages
/// noted, so that a fault neither faults on the image itself nor has to read a page before the kernel copies it. What
/// is on disk only stays there until somebody wants it. One thread fills it, others look at any time.
/// </summary>
internal sealed unsafe class ImageIndex : IDisposable
{
    private const ulong AreaPages = 512;
    private readonly IMemoryImage _image;
    private readonly UserfaultBitmap _zero;
    private readonly UserfaultBitmap _isKnown;
    private readonly Thread _thread;
    private volatile bool _isOver;

    /// <summary>Begins to look at an image; not owned.</summary>
    public ImageIndex(IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        _image = image;
        _zero = UserfaultBitmap.Allocate(image.Pages);
        _isKnown = UserfaultBitmap.Allocate((image.Pages + AreaPages - 1) / AreaPages);
        _thread = new Thread(Look) { IsBackground = true, Name = "image" };
        _thread.Start();
    }

    /// <summary>Is it known whether a page is zero?</summary>
    public bool TryIsZero(MemoryPage page, out bool isZero)
    {
        isZero = false;
        if (!_isKnown.IsSet(page.Value / AreaPages))
            return false;
        isZero = _zero.IsSet(page.Value);
        return true;
    }

    /// <summary>Waits until all of it was looked at.</summary>
    public void Wait() => _thread.Join();

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        _thread.Join();
        _zero.Dispose();
        _isKnown.Dispose();
    }

    // Where the guest has memory, and the file has data: what lies between costs nothing.
    private void Look()
    {
        var scratch = stackalloc byte[Page.Size];
        var resident = stackalloc byte[(int)AreaPages];
        foreach (var range in _image.Ranges)
            Look(range, scratch, resident);
    }

    private void Look(MemoryPageRange range, byte* scratch, byte* resident)
    {
        var behind = (range.End.Value + AreaPages - 1) / AreaPages;
        for (var area = range.Start.Value / AreaPages; area < behind && !_isOver; area++)
        {
            var first = area * AreaPages;
            if (_image.HoleAt(new MemoryPage(first)) is var hole && hole >= AreaPages)
            {
                area += (hole / AreaPages) - 1;
                continue;
            }

            var pages = Math.Min(AreaPages, _image.Pages - first);
            var start = _image.Read(new MemoryPage(first), scratch);
            // Pages that are made, put together or holes cost what they cost.
            if (
                start == null
                || start == scratch
                || ((ulong)start & Page.OffsetMask) != 0
                || _image.Read(new MemoryPage(first + pages - 1), scratch) != start + ((pages - 1) << Page.Shift)
                || !IsResident(start, pages, resident)
            )
            {
                continue;
            }
            _ = Libc.Advise(start, (nuint)(pages << Page.Shift), Libc.MADV_POPULATE_READ);
            for (ulong i = 0; i < pages; i++)
            {
                if (ZeroPage.IsZero(start + (i << Page.Shift)))
                    _zero.Set(first + i);
            }
            _isKnown.Set(area);
        }
    }

    private static bool IsResident(byte* start, ulong pages, byte* resident)
    {
        if (Libc.InCore(start, (nuint)(pages << Page.Shift), resident) != 0)
            return false;
        for (ulong i = 0; i < pages; i++)
        {
            if ((resident[i] & 1) == 0)
                return false;
        }
        return true;
    }
}
