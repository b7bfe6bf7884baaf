using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Zeroed native memory that the machine commits page by page as it is touched: anonymous memory, or where that is
/// refused because it is more than the machine has (overcommit), a mapping of an unlinked memory file, which is not
/// counted before it is touched.
/// </summary>
internal sealed unsafe class LazyMemory : IDisposable
{
    // MADV_POPULATE_WRITE, in Linux since 5.14.
    private const int PopulateWrite = 23;

    private void* _allocation;
    private bool _populates = OperatingSystem.IsLinux();
    private MemoryMappedFile? _file;
    private MemoryMappedViewAccessor? _view;

    /// <summary>
    /// Zeros, aligned for the largest leaf that fits in them: huge mappings need guest and host addresses that agree in
    /// their low bits.
    /// </summary>
    /// <exception cref="PagingException">Neither way gives that much.</exception>
    public LazyMemory(ulong bytes, string purpose)
    {
        Length = bytes;
        var alignment = new[] { PageLevel.Size1G, PageLevel.Size2M, PageLevel.Size4K }
            .First(level => level == PageLevel.Size4K || bytes >= level.Bytes())
            .Bytes();
        if (bytes > long.MaxValue - alignment)
            throw Refused(bytes, purpose, null);
        try
        {
            // calloc takes big blocks straight from mmap and knows that they are zero: nothing is touched here. What
            // the alignment wastes is address space.
            _allocation = NativeMemory.AllocZeroed((nuint)(bytes + alignment));
            Bytes = AlignUp((byte*)_allocation, alignment);
        }
        catch (OutOfMemoryException)
        {
            MapFile(bytes, alignment, purpose);
        }
    }

    public byte* Bytes { get; private set; }

    public ulong Length { get; }

    /// <summary>
    /// Has the machine commit memory that is written next, with one call and not with a fault a page. A wish: where the
    /// machine does not know it or has no memory left, the faults come as ever.
    /// </summary>
    /// <param name="offset">The first byte, of a whole page.</param>
    /// <param name="bytes">How many, whole pages inside this memory.</param>
    /// <returns>Is all of it committed?</returns>
    public bool Populate(ulong offset, ulong bytes) =>
        _populates && Bytes != null && (_populates = Libc.Advise(Bytes + offset, (nuint)bytes, PopulateWrite) == 0);

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

    private void MapFile(ulong bytes, ulong alignment, string purpose)
    {
        try
        {
            _file = MemoryMappedFile.CreateNew(null, (long)(bytes + alignment));
            _view = _file.CreateViewAccessor(0, 0);
            byte* start = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            Bytes = AlignUp(start + _view.PointerOffset, alignment);
        }
        catch (Exception e)
            when (e is IOException or OutOfMemoryException or UnauthorizedAccessException or ArgumentException)
        {
            _file?.Dispose();
            throw Refused(bytes, purpose, e);
        }
    }

    private static byte* AlignUp(byte* address, ulong alignment) =>
        (byte*)(((ulong)address + alignment - 1) & ~(alignment - 1));

    private static PagingException Refused(ulong bytes, string purpose, Exception? cause) =>
        new(
            PagingError.OutOfMemory,
            purpose,
            $"the machine does not give {bytes >> 20} MiB",
            "take a smaller guest",
            cause
        );
}
