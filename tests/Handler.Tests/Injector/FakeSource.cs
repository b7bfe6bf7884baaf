using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>A page source that answers when it is told to, whole, in part or not at all.</summary>
internal sealed unsafe class FakeSource : IPageSource
{
    private readonly PageBatchPool _pool = new();
    private readonly List<(PageRequest Request, MemoryPageRange[] Ranges, IPageSink Sink)> _asked = [];

    public string Name => "fake";

    public ImageIdentity Identity => default;

    public ulong Pages => InjectorImage.MaxPages;

    /// <summary>Does any request wait for its answer?</summary>
    public bool HasRequests => _asked.Count > 0;

    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink) =>
        _asked.Add((request, ranges.ToArray(), sink));

    public void Cancel(ulong requestId)
    {
        var index = _asked.FindIndex(a => a.Request.Id == requestId);
        if (index < 0)
            return;
        var sink = _asked[index].Sink;
        _asked.RemoveAt(index);
        sink.OnFailed(requestId, FetchFailure.Cancelled);
    }

    public void GiveUp() { }

    public void Dispose() { }

    /// <summary>Answers some request, in two batches at times.</summary>
    public void Answer(Dice dice)
    {
        var index = dice.Roll(_asked.Count);
        var (request, ranges, sink) = _asked[index];
        _asked.RemoveAt(index);
        var batch = _pool.Rent(request.Id);
        foreach (var range in ranges)
        {
            for (var page = range.Start; page != range.End; page = page.Plus(1))
            {
                var at = InjectorImage.At(page.Value);
                batch.Add(at == null ? PageContent.Zero(page) : PageContent.Of(page, at));
                if (!dice.Comes(100))
                    continue;
                batch.IsLast = false;
                sink.OnPages(batch);
                batch = _pool.Rent(request.Id);
            }
        }
        batch.IsLast = true;
        sink.OnPages(batch);
    }
}
