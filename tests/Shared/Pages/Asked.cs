using Userfault.Pages;

namespace Userfault.Tests;

/// <summary>A request that a scripted source was sent, for the test to answer.</summary>
internal sealed class Asked
{
    private readonly List<ulong> _left;

    public Asked(ScriptedSource source, in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        (Source, Request, Ranges, Sink) = (source, request, ranges.ToArray(), sink);
        Pages =
        [
            .. Ranges.SelectMany(static r => Enumerable.Range(0, (int)r.Count).Select(i => r.Start.Value + (ulong)i)),
        ];
        _left = [.. Pages];
    }

    /// <summary>The source that was asked.</summary>
    public ScriptedSource Source { get; }

    /// <summary>The request's head.</summary>
    public PageRequest Request { get; }

    public ulong Id => Request.Id;

    public IReadOnlyList<MemoryPageRange> Ranges { get; }

    /// <summary>The pages, in the order wanted.</summary>
    public IReadOnlyList<ulong> Pages { get; }

    /// <summary>Those of them that have not been sent.</summary>
    public IReadOnlyList<ulong> Left => _left;

    /// <summary>Where the answer goes.</summary>
    public IPageSink Sink { get; }

    /// <summary>Nothing comes any more.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Answers with all that is left.</summary>
    public void Answer() => Answer(_left.Count);

    /// <summary>Answers with the next pages; ends the request where they are the last.</summary>
    public void Answer(int count) => Answer([.. _left.Take(count)], isLast: count == _left.Count);

    /// <summary>Answers with these pages, asked for or not; their content says which pages they are.</summary>
    public void Answer(IReadOnlyList<ulong> pages, bool isLast = true)
    {
        var batch = Source.Pool.Rent(Id);
        foreach (var page in pages)
            batch.Add(Source.Content(new MemoryPage(page)));
        Answer(batch, isLast);
    }

    /// <summary>Answers with pages that the test has put into a batch of the source's pool.</summary>
    public void Answer(PageBatch batch, bool isLast = true)
    {
        foreach (var page in batch.Pages)
            _left.Remove(page.Page.Value);
        (batch.IsLast, HasEnded) = (isLast, HasEnded | isLast);
        Sink.OnPages(batch);
    }

    /// <summary>Ends the request without the rest of its pages.</summary>
    public void Fail(FetchFailure failure)
    {
        HasEnded = true;
        Sink.OnFailed(Id, failure);
    }

    /// <summary>Asks the real source behind the scripted one, which answers instead.</summary>
    public void PassOn()
    {
        HasEnded = true;
        Source.Behind!.Request(Request, [.. Ranges], Sink);
    }
}
