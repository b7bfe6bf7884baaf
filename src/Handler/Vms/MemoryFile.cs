using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// The memfd of a VM's memory, mapped into this process: pages are copied to where the guest will see them. The mapping
/// is not watched, so a write to it never waits for anybody. Owned by the pager's thread; allocates nothing after
/// construction.
/// <para>
/// A file with holes is no gain: to allocate a page by a write costs as much as UFFDIO_COPY, which allocates, copies
/// and maps in one call. So the file is used where the monitor has allocated all of it, and its pages are then mapped
/// here by many at once.
/// </para>
/// </summary>
internal sealed unsafe class MemoryFile : IMemoryFile
{
    // Mapped here at once: one call for 64 pages costs as much as the faults of ten.
    private const int BlockShift = 6;
    private const ulong BlockPages = 1 << BlockShift;

    // From here on nothing is gained by the processor's cache: the guest reads other lines of most pages.
    private const ulong MinStreamed = 8;

    private readonly MemoryMapping _mapping;
    private readonly UserfaultBitmap _unmapped;

    private MemoryFile(OwnedFd fd, ulong pages)
    {
        Descriptor = fd;
        _mapping = MemoryMapping.Of(fd, pages << Page.Shift);
        _unmapped = UserfaultBitmap.Allocate((pages + BlockPages - 1) >> BlockShift);
        _unmapped.SetAll();
    }

    /// <inheritdoc/>
    public OwnedFd Descriptor { get; }

    /// <summary>
    /// Takes the file of a handshake. Null, with the descriptor closed, where the file has holes: its memory is served
    /// like any other.
    /// </summary>
    /// <param name="fd">The file; taken where this returns.</param>
    /// <param name="pages">Pages that it must cover.</param>
    /// <param name="features">What the userfaultfd reports.</param>
    /// <exception cref="ProtocolException">It is too short, cannot be written, could shrink under this process; or
    /// touches of what is in the page cache would not be reported.</exception>
    public static MemoryFile? Take(OwnedFd fd, ulong pages, UffdFeatures features)
    {
        ArgumentNullException.ThrowIfNull(fd);
        var bytes = (long)(pages << Page.Shift);
        if (Memfd.SizeOf(fd) < bytes)
        {
            throw new ProtocolException(
                ProtocolError.MemoryTooShort,
                $"the second descriptor ({fd.Describe()}) is shorter than the regions: no memory file of theirs"
            );
        }
        if ((Libc.Fcntl(fd.Number, Libc.F_GETFL, 0) & Libc.O_ACCMODE) != Libc.O_RDWR)
        {
            throw new ProtocolException(
                ProtocolError.MemoryNotWritable,
                $"the second descriptor ({fd.Describe()}) is not open for reading and writing"
            );
        }
        if (!Memfd.CannotShrink(fd))
        {
            throw new ProtocolException(
                ProtocolError.MemoryCanShrink,
                "the memory file can shrink: create it with MFD_ALLOW_SEALING, or seal it with F_SEAL_SHRINK"
            );
        }
        if (Memfd.AllocatedBytesOf(fd) < bytes)
        {
            fd.Dispose();
            return null;
        }
        if ((features & UffdFeatures.MinorShmem) == 0)
        {
            throw new ProtocolException(
                ProtocolError.NoMinorFaults,
                "the memory file is allocated, and touches of its pages are not reported: open the userfaultfd with"
                    + " UFFD_FEATURE_MINOR_SHMEM, and register the memory with MODE_MISSING and MODE_MINOR"
            );
        }
        return new MemoryFile(fd, pages);
    }

    /// <summary>A file that another process has taken. Takes ownership of the descriptor.</summary>
    /// <exception cref="ProtocolException">It is too short, or could shrink.</exception>
    public static MemoryFile Attach(OwnedFd fd, ulong pages)
    {
        if (Memfd.SizeOf(fd) < (long)(pages << Page.Shift) || !Memfd.CannotShrink(fd))
            throw new ProtocolException("the memory file of a VM is too short, or can shrink");
        return new MemoryFile(fd, pages);
    }

    /// <inheritdoc/>
    public void Write(MemoryPage first, ulong pages, byte* bytes)
    {
        MapBlocks(first.Value >> BlockShift, (first.Value + pages - 1) >> BlockShift);
        var to = _mapping.Start + (first.Value << Page.Shift);
        var length = (nuint)(pages << Page.Shift);
        if (bytes == null)
            new Span<byte>(to, checked((int)length)).Clear();
        else if (pages < MinStreamed)
            Buffer.MemoryCopy(bytes, to, length, length);
        else
            Stream(to, bytes, pages);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _unmapped.Dispose();
        _mapping.Dispose();
        Descriptor.Dispose();
    }

    private void MapBlocks(ulong first, ulong last)
    {
        for (var block = first; block <= last; block++)
        {
            if (!_unmapped.IsSet(block))
                continue;
            _unmapped.Clear(block);
            _mapping.PopulateForRead(block << (BlockShift + Page.Shift), BlockPages << Page.Shift);
        }
    }

    // Past the cache, which does not read what is about to be overwritten: a third less time.
    private static void Stream(byte* to, byte* from, ulong pages)
    {
        for (ulong i = 0; i < pages; i++)
            PageBytes.Copy(from + (i << Page.Shift), to + (i << Page.Shift));
        // Before any thread can see that the pages are there: such stores are not in order without it.
        Interlocked.MemoryBarrier();
    }
}
