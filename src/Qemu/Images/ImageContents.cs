using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>Pages out of a saved stream in this process: all are here.</summary>
internal sealed unsafe class ImageContents(QemuImage image) : IPageContents
{
    /// <inheritdoc/>
    public bool IsZero(MemoryPage page) => image.IsZero(page);

    /// <inheritdoc/>
    public bool AreHere(MemoryPageRange pages, bool isDemand) => true;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Read(MemoryPage page)
    {
        var content = image.Read(page, null);
        return content == null ? default : new ReadOnlySpan<byte>(content, Page.Size);
    }
}
