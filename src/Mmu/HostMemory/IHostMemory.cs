namespace Userfault.Mmu;

/// <summary>
/// The host's side of guest memory: what the VMM's address space holds. The model's only way out of itself, called on
/// the fault path and nowhere else; nothing here may allocate where faults must not.
/// </summary>
public interface IHostMemory
{
    /// <summary>Asks for the page behind a host virtual address, as <c>get_user_pages</c> does.</summary>
    /// <param name="hva">Page aligned address in bytes.</param>
    /// <param name="write">Will the page be written? A present page must then be writable, or it is
    /// unavailable.</param>
    /// <param name="page">The page, where the answer is <see cref="HostPageStatus.Present"/>.</param>
    HostPageStatus GetPage(Hva hva, bool write, out HostPage page);

    /// <summary>
    /// Reads a word of a userfault bitmap out of user memory, with load-acquire: what was written before the bit was
    /// cleared with release is visible to whoever sees it clear.
    /// </summary>
    /// <param name="address">Address in bytes; need not be aligned, as user space's pointer need not be.</param>
    /// <param name="word">The word, where it can be read.</param>
    /// <returns>False where the memory cannot be read.</returns>
    bool TryReadBitmapWord(Hva address, out ulong word);
}
