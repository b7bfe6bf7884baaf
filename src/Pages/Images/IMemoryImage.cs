namespace Userfault.Pages;

/// <summary>
/// The memory of a stopped guest, by page: what the source of a migration has and what the destination must end up
/// with. Never changes. Safe to read from any number of threads.
/// </summary>
public unsafe interface IMemoryImage : IDisposable
{
    /// <summary>A name for messages: the path, or the settings of a synthetic image.</summary>
    string Name { get; }

    /// <summary>Where the bytes come from.</summary>
    ImageKind Kind { get; }

    /// <summary>Pages from page 0 to the end of the last segment, holes included.</summary>
    ulong Pages { get; }

    /// <summary>
    /// Where the guest has memory: at least one range, ascending, apart from each other, the last one's end is
    /// <see cref="Pages"/>. Between them are holes, as QEMU has one below its video memory.
    /// </summary>
    IReadOnlyList<MemoryPageRange> Ranges => [new MemoryPageRange(new MemoryPage(0), Pages)];

    /// <summary>
    /// How many pages from this one on are known to be zero without looking (a hole); 0 where the page has to be looked
    /// at. A large hole may be told in pieces.
    /// </summary>
    /// <param name="page">The page; below <see cref="Pages"/>.</param>
    ulong HoleAt(MemoryPage page) => 0;

    /// <summary>
    /// What has become of the file behind it since it was opened; null where it is as it was, or there is none. One or
    /// two system calls; where the file's times alone do not tell, the sampled pages are read again.
    /// </summary>
    ImageChange? Change() => null;

    /// <summary>The file behind it, as a path that names it wherever it is moved; null where there is none.</summary>
    string? OpenPath => null;

    /// <summary>
    /// Binds files and connections to this image. Computed at the first call, which reads up to 16 MiB.
    /// </summary>
    ImageIdentity Identity { get; }

    /// <summary>
    /// The 4096 bytes of a page: a pointer into the mapped file, which stays good until the image is disposed; or
    /// <paramref name="scratch"/>, filled; or null for a page known to be zero without looking (a hole). A page that
    /// is not null may still be all zero.
    /// </summary>
    /// <param name="page">The page; below <see cref="Pages"/>.</param>
    /// <param name="scratch">Room for one page, used where the page does not stand somewhere as it is.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="page"/> lies outside the image.</exception>
    byte* Read(MemoryPage page, byte* scratch);
}
