namespace Userfault.Mmu;

/// <summary>
/// The host's side of guest memory: the VMM's address space. Called on the fault path and by hugepage recovery;
/// implementations must not allocate, since faults must not.
/// </summary>
public interface IHostMemory
{
    /// <summary>Requests the page behind a host virtual address, as <c>get_user_pages</c> does.</summary>
    /// <param name="hva">Page aligned address in bytes.</param>
    /// <param name="write">Will the page be written? A present page must then be writable, or it is
    /// unavailable.</param>
    /// <param name="page">The page, if the result is <see cref="HostPageStatus.Present"/>.</param>
    HostPageStatus GetPage(Hva hva, bool write, out HostPage page);

    /// <summary>
    /// Reads a word of a userfault bitmap from user memory, with load-acquire: a reader that sees a bit clear also sees
    /// everything written before the bit was cleared with release.
    /// </summary>
    /// <param name="address">Address in bytes; not necessarily aligned, as user space's pointer need not be.</param>
    /// <param name="word">The word, if it can be read.</param>
    /// <returns>False if the memory cannot be read.</returns>
    bool TryReadBitmapWord(Hva address, out ulong word);
}
