namespace Userfault.Linux;

/// <summary>Mapped memory (mmap). The owner unmaps it; whoever still uses it then gets SIGSEGV.</summary>
public sealed unsafe class MemoryMapping : IDisposable
{
    private const int NoAccess = 0;
    private const int ReadOnly = 1;
    private const int ReadWrite = 3;
    private const int Shared = 0x01;
    private const int Private = 0x02;
    private const int Anonymous = 0x20;
    private const int NoReserve = 0x4000;
    private const int HugeTlb = 0x40000;
    private const int Huge2M = 21 << 26;
    private const int Normal = 0;
    private const int Sequential = 2;
    private const int DontNeed = 4;
    private const int RemoveAdvice = 9;
    private const int HugePage = 14;
    private const int NoHugePage = 15;

    private byte* _start;

    private MemoryMapping(byte* start, ulong bytes)
    {
        _start = start;
        Bytes = bytes;
    }

    /// <summary>Its first byte, page aligned.</summary>
    public byte* Start => _start;

    /// <summary>Its first byte's address.</summary>
    public ulong Address => (ulong)_start;

    /// <summary>Its size in bytes.</summary>
    public ulong Bytes { get; }

    /// <summary>Private memory of zeros; pages come when they are touched.</summary>
    /// <exception cref="LinuxException">No address space.</exception>
    public static MemoryMapping Anonymously(ulong bytes) =>
        Map(bytes, ReadWrite, Private | Anonymous | NoReserve, -1, 0, "mmap anonymous memory");

    /// <summary>Address space that cannot be accessed before <see cref="Protect"/> allows it.</summary>
    /// <exception cref="LinuxException">No address space.</exception>
    internal static MemoryMapping Reserve(ulong bytes) =>
        Map(bytes, NoAccess, Private | Anonymous, -1, 0, "mmap address space");

    /// <summary>
    /// Private memory of zeros in pages of 2 MiB (MAP_HUGETLB), as Firecracker's <c>huge_pages: 2M</c> has it. They are
    /// taken from the machine's reserve now, so that no later touch lacks one.
    /// </summary>
    /// <param name="bytes">How many; whole huge pages.</param>
    /// <exception cref="LinuxException">The machine has not so many in reserve (vm.nr_hugepages).</exception>
    public static MemoryMapping OfHugePages(ulong bytes) =>
        Map(
            bytes,
            ReadWrite,
            Private | Anonymous | HugeTlb | Huge2M,
            -1,
            0,
            "mmap huge pages; reserve them with sysctl vm.nr_hugepages"
        );

    /// <summary>A file's bytes, shared with all who map them.</summary>
    /// <param name="fd">The file; may be closed afterwards.</param>
    /// <param name="bytes">How many bytes.</param>
    /// <param name="offset">From where, page aligned.</param>
    /// <param name="writable">May it be written to?</param>
    /// <exception cref="LinuxException">The descriptor cannot be mapped so.</exception>
    public static MemoryMapping Of(OwnedFd fd, ulong bytes, ulong offset = 0, bool writable = true)
    {
        ArgumentNullException.ThrowIfNull(fd);
        return Map(bytes, writable ? ReadWrite : ReadOnly, Shared, fd.Number, (long)offset, "mmap a descriptor");
    }

    /// <summary>madvise MADV_DONTNEED: gives pages back; they read as zeros (or as the file) from then on.</summary>
    /// <remarks>
    /// Blocks until a watching userfaultfd's owner has read the event. Never call it where that owner waits for you.
    /// </remarks>
    /// <exception cref="LinuxException">Not a part of the mapping.</exception>
    public void Discard(ulong offset, ulong bytes) =>
        Errors.Check(Libc.Advise(_start + offset, (nuint)bytes, DontNeed), "madvise MADV_DONTNEED");

    /// <summary>
    /// madvise MADV_REMOVE: gives pages of shared memory back, and of its file; they read as zeros from then on.
    /// </summary>
    /// <remarks>Blocks as <see cref="Discard"/> does.</remarks>
    /// <exception cref="LinuxException">Not a part of the mapping, or no shared memory.</exception>
    public void Remove(ulong offset, ulong bytes) =>
        Errors.Check(Libc.Advise(_start + offset, (nuint)bytes, RemoveAdvice), "madvise MADV_REMOVE");

    /// <summary>
    /// madvise MADV_POPULATE_READ: maps what is there, many pages at once; a part behind the end is left out. A hint:
    /// what is not mapped now is mapped when it is touched.
    /// </summary>
    /// <param name="offset">Where it starts, page aligned.</param>
    /// <param name="bytes">How many bytes.</param>
    public void PopulateForRead(ulong offset, ulong bytes) =>
        _ = Libc.Advise(_start + offset, (nuint)Math.Min(bytes, Bytes - offset), Libc.MADV_POPULATE_READ);

    /// <summary>madvise MADV_SEQUENTIAL: all of it is read in order, from now on or no longer. A hint.</summary>
    public void ExpectInOrder(bool isInOrder) => _ = Libc.Advise(_start, (nuint)Bytes, isInOrder ? Sequential : Normal);

    /// <summary>madvise MADV_NOHUGEPAGE: 4 KiB pages alone, so that each faults by itself.</summary>
    /// <remarks>A kernel without huge pages answers EINVAL, which is as good.</remarks>
    public void ForbidHugePages() => _ = Libc.Advise(_start, (nuint)Bytes, NoHugePage);

    /// <summary>madvise MADV_HUGEPAGE: 2 MiB pages where the kernel has them.</summary>
    /// <exception cref="LinuxException">A kernel without huge pages.</exception>
    internal void AskForHugePages(ulong offset, ulong bytes) =>
        Errors.Check(Libc.Advise(_start + offset, (nuint)bytes, HugePage), "madvise MADV_HUGEPAGE");

    /// <summary>mprotect: a part may be read, and written to.</summary>
    /// <param name="offset">Where it starts, page aligned.</param>
    /// <param name="bytes">How many bytes.</param>
    /// <param name="writable">May it be written to as well?</param>
    /// <exception cref="LinuxException">Not a part of the mapping.</exception>
    internal void Protect(ulong offset, ulong bytes, bool writable) =>
        Errors.Check(Libc.Protect(_start + offset, (nuint)bytes, writable ? ReadWrite : ReadOnly), "mprotect");

    /// <inheritdoc/>
    public void Dispose()
    {
        var start = _start;
        _start = null;
        if (start != null)
            _ = Libc.Unmap(start, (nuint)Bytes);
    }

    private static MemoryMapping Map(ulong bytes, int protection, int flags, int fd, long offset, string call)
    {
        var start = Libc.Map(null, (nuint)bytes, protection, flags, fd, offset);
        // MAP_FAILED is -1, not null.
        return (nint)start != -1
            ? new MemoryMapping((byte*)start, bytes)
            : throw new LinuxException($"{call} ({bytes} bytes)", Errors.Last);
    }
}
