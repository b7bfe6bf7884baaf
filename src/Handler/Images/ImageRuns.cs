using System.Runtime.InteropServices;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Cuts a run of pages of an image into pieces that go in place by one call each: bytes one after another, or zeros.
/// Pages of a mapped file are handed out where they lie. Owned by one thread; allocates nothing after construction.
/// </summary>
internal sealed unsafe class ImageRuns : IDisposable
{
    private readonly IMemoryImage _image;
    private readonly ulong _max;
    private readonly ImageIndex? _index;
    private byte* _scratch;

    /// <summary>
    /// Runs of an image, at most <paramref name="maxPages"/> long; with what is known of it, or null.
    /// </summary>
    public ImageRuns(IMemoryImage image, ulong maxPages, ImageIndex? index = null)
    {
        (_image, _max, _index) = (image, maxPages, index);
        _scratch = (byte*)NativeMemory.AlignedAlloc((nuint)(maxPages << Page.Shift), Page.Size);
    }

    /// <summary>The piece at the front of a run.</summary>
    /// <param name="first">The run's first page.</param>
    /// <param name="pages">Its length.</param>
    /// <param name="bytes">The piece's bytes, good until the next call; null for zeros.</param>
    /// <returns>Pages in the piece: at least 1.</returns>
    public ulong Next(MemoryPage first, ulong pages, out byte* bytes)
    {
        pages = Math.Min(pages, _max);
        bytes = Read(first, 0);
        ulong count = 1;
        for (; count < pages; count++)
        {
            var next = Read(first, count);
            if (bytes == null ? next != null : next != bytes + (count << Page.Shift))
                break;
        }
        return count;
    }

    /// <summary>
    /// Are bytes that <see cref="Next"/> handed out good only until its next call? Else as long as the image.
    /// </summary>
    public bool IsPassing(byte* bytes) => bytes >= _scratch && bytes < _scratch + (_max << Page.Shift);

    /// <summary>A whole huge page, put together where its pieces do not lie one after another.</summary>
    public byte* Assemble(MemoryPage first, ulong pages)
    {
        if (TryWhole(first, pages, out var whole))
            return whole;
        return Copy(first, pages);
    }

    /// <summary>The same, with zeros for those of its pages that are removed.</summary>
    public byte* AssembleWithout(MemoryPage first, ulong pages, UserfaultBitmap removed)
    {
        var whole = Copy(first, pages);
        for (ulong i = 0; i < pages; i++)
        {
            if (removed.IsSet(first.Value + i))
                NativeMemory.Clear(whole + (i << Page.Shift), Page.Size);
        }
        return whole;
    }

    private byte* Copy(MemoryPage first, ulong pages)
    {
        ulong done = 0;
        while (done < pages)
        {
            var page = _image.Read(first.Plus(done), _scratch + (done << Page.Shift));
            var to = _scratch + (done << Page.Shift);
            if (page == null)
                NativeMemory.Clear(to, Page.Size);
            else if (page != to)
                Buffer.MemoryCopy(page, to, Page.Size, Page.Size);
            done++;
        }
        return _scratch;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_scratch);
        _scratch = null;
    }

    // As it lies in the mapped file: no copy before the kernel's.
    private bool TryWhole(MemoryPage first, ulong pages, out byte* whole)
    {
        whole = _image.Read(first, _scratch);
        if (whole == null || whole == _scratch)
            return false;
        for (ulong i = 1; i < pages; i++)
        {
            if (_image.Read(first.Plus(i), _scratch) != whole + (i << Page.Shift))
                return false;
        }
        return true;
    }

    private byte* Read(MemoryPage first, ulong index)
    {
        var page = _image.Read(first.Plus(index), _scratch + (index << Page.Shift));
        if (page == null)
            return null;
        if (_index is null || !_index.TryIsZero(first.Plus(index), out var isZero))
            isZero = ZeroPage.IsZero(page);
        return isZero ? null : page;
    }
}
