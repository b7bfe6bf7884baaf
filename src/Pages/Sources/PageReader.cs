using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Reads pages of an image into batches, and recognises what need not travel: zero pages, and contents sent before.
/// One caller at a time.
/// </summary>
internal sealed unsafe class PageReader(IMemoryImage image, LocalSourceSettings settings)
{
    private readonly PageBatchPool _pool = new();
    private readonly ContentIndex? _contents =
        settings.RememberedContents > 0 ? new ContentIndex(settings.RememberedContents) : null;

    /// <summary>A batch with all pages of the ranges, and how many bytes a path would carry for it.</summary>
    public PageBatch Read(ulong requestId, ReadOnlySpan<MemoryPageRange> ranges, out long lineBytes)
    {
        var batch = _pool.Rent(requestId);
        lineBytes = 0;
        foreach (var range in ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                var page = ReadOne(range.Start.Plus(i), batch);
                lineBytes += LocalPageSource.HeaderBytes + (page.Kind == PageContentKind.Bytes ? Page.Size : 0);
                batch.Add(page);
            }
        }
        return batch;
    }

    private PageContent ReadOne(MemoryPage memoryPage, PageBatch batch)
    {
        var buffer = batch.TakeBuffer();
        var bytes = image.Read(memoryPage, buffer);
        var isZero = bytes == null || ZeroPage.IsZero(bytes);
        if (bytes != buffer || isZero || settings.TagsOnly)
            batch.ReturnBuffer();
        if (isZero)
            return PageContent.Zero(memoryPage);
        if (_contents == null && !settings.TagsOnly)
            return PageContent.Of(memoryPage, bytes);
        var tag = PageTag.Of(bytes);
        var travels = settings.TagsOnly ? null : bytes;
        if (_contents == null)
            return PageContent.Of(memoryPage, travels, tag);
        if (_contents.Find(bytes, tag, image) >= 0)
            return PageContent.Duplicate(memoryPage, travels, tag);
        _contents.Add(memoryPage, tag);
        return PageContent.Of(memoryPage, travels, tag);
    }
}
