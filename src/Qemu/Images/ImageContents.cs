using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Pages of a saved stream in this process: all are here. Once a second it checks whether the file was written to.
/// The image is shared, not owned.
/// </summary>
/// <param name="image">The image.</param>
/// <param name="time">The clock.</param>
internal sealed unsafe class ImageContents(QemuImage image, TimeProvider time) : IPageContents
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private long _lookedAt = time.GetTimestamp();
    private string? _problem;

    /// <inheritdoc/>
    public ulong ContentPages => image.ContentPages;

    /// <inheritdoc/>
    public string? Problem
    {
        get { return time.GetElapsedTime(_lookedAt) >= LookEvery ? FinalProblem : _problem; }
    }

    /// <inheritdoc/>
    public string? FinalProblem
    {
        get
        {
            _lookedAt = time.GetTimestamp();
            if (_problem is null && image.Change() is { IsContent: true } change)
                _problem = $"{image.Name} has changed while a guest was restored from it: {change.What}";
            return _problem;
        }
    }

    /// <inheritdoc/>
    public PostcopyEnd ProblemEnd => PostcopyEnd.ImageChanged;

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
