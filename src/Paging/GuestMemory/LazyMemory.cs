using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// Zeroed native memory that the machine commits page by page as it is touched: anonymous memory, or where that is
/// refused because it is more than the machine has (overcommit), a mapping of an unlinked memory file, which is not
/// counted before it is touched.
/// </summary>
internal sealed unsafe class LazyMemory : IDisposable
{
    private void* _allocation;
    private MemoryMappedFile? _file;
    private MemoryMappedViewAccessor? _view;

    /// <summary>Zeros, aligned as asked for: a power of 2, at least a page. A memory file is page aligned alone.</summary>
    /// <exception cref="PagingException">Neither way gives that much.</exception>
    public LazyMemory(ulong bytes, string purpose, ulong alignment = Page.Size)
    {
        Length = bytes;
        var mask = (nuint)alignment - 1;
        if (bytes > long.MaxValue - alignment)
            throw Refused(bytes, purpose, null);
        try
        {
            // calloc takes big blocks straight from mmap and knows that they are zero: nothing is touched here.
            _allocation = NativeMemory.AllocZeroed((nuint)bytes + (nuint)alignment);
            Bytes = (byte*)(((nuint)_allocation + mask) & ~mask);
        }
        catch (OutOfMemoryException)
        {
            MapFile(bytes, purpose);
        }
    }

    public byte* Bytes { get; private set; }

    public ulong Length { get; }

    public void Dispose()
    {
        Bytes = null;
        NativeMemory.Free(_allocation);
        _allocation = null;
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
        _view = null;
        _file = null;
    }

    private void MapFile(ulong bytes, string purpose)
    {
        try
        {
            _file = MemoryMappedFile.CreateNew(null, (long)bytes);
            _view = _file.CreateViewAccessor(0, (long)bytes);
            byte* start = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            Bytes = start + _view.PointerOffset;
        }
        catch (Exception e) when (e is IOException or OutOfMemoryException or UnauthorizedAccessException or ArgumentException)
        {
            _file?.Dispose();
            throw Refused(bytes, purpose, e);
        }
    }

    private static PagingException Refused(ulong bytes, string purpose, Exception? cause) =>
        new(PagingError.OutOfMemory, purpose, $"the machine does not give {bytes >> 20} MiB", "take a smaller guest", cause);
}
