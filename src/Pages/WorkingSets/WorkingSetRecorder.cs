using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>Notes the first touch of each page. One owner.</summary>
public sealed class WorkingSetRecorder : IDisposable
{
    private readonly UserfaultBitmap _touched;
    private readonly List<MemoryPageRange> _runs = [];

    /// <summary>A recorder for a guest of <paramref name="pages"/> pages; one bit a page.</summary>
    public WorkingSetRecorder(ulong pages) => _touched = UserfaultBitmap.Allocate(pages);

    /// <summary>A page was touched or fetched; counts the first time.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The page lies outside the guest.</exception>
    public void Touch(MemoryPage page)
    {
        if (_touched.IsSet(page.Value))
            return;
        _touched.Set(page.Value);
        if (_runs.Count > 0 && _runs[^1].End == page)
            _runs[^1] = _runs[^1] with { Count = _runs[^1].Count + 1 };
        else
            _runs.Add(new MemoryPageRange(page, 1));
    }

    /// <summary>What was recorded so far, bound to the image.</summary>
    public WorkingSet ToWorkingSet(IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return new WorkingSet(image.Identity, image.Pages, [.. _runs]);
    }

    /// <summary>What was recorded so far, bound to an image that lies elsewhere.</summary>
    public WorkingSet ToWorkingSet(ImageIdentity image, ulong pages) => new(image, pages, [.. _runs]);

    /// <inheritdoc/>
    public void Dispose() => _touched.Dispose();
}
