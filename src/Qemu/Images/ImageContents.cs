using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>Pages out of a saved stream in this process: all are here. The image is shared, not owned.</summary>
internal sealed unsafe class ImageContents(QemuImage image) : IPageContents
{
    /// <inheritdoc/>
    public ulong ContentPages => image.ContentPages;

    /// <inheritdoc/>
    public string? Problem => null;

    /// <inheritdoc/>
    public long NextArrivalNs => long.MaxValue;

    /// <inheritdoc/>
    public bool IsZero(MemoryPage page) => image.IsZero(page);

    /// <inheritdoc/>
    public bool IsHere(MemoryPage page, FetchPriority priority) => true;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Read(MemoryPage page)
    {
        var content = image.Read(page, null);
        return content == null ? default : new ReadOnlySpan<byte>(content, Page.Size);
    }

    /// <inheritdoc/>
    public bool TryTakeArrived(long nowNs, out MemoryPage page)
    {
        page = default;
        return false;
    }

    /// <inheritdoc/>
    public void WakeOn(Action wake) { }

    /// <inheritdoc/>
    public void Dispose() { }
}
