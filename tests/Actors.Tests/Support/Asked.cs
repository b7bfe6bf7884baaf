using Userfault.Pages;

namespace Userfault.Actors.Tests;

/// <summary>A request that a scripted source was sent.</summary>
/// <param name="Source">The source.</param>
/// <param name="Request">Its head.</param>
/// <param name="Pages">The pages, in the order wanted.</param>
/// <param name="Sink">Where the answer goes.</param>
internal sealed record Asked(ScriptedSource Source, PageRequest Request, IReadOnlyList<ulong> Pages, IPageSink Sink)
{
    /// <summary>Answers with these pages, asked for or not; their content says which page they are.</summary>
    public unsafe void Answer(IEnumerable<ulong> pages, bool isLast = true)
    {
        var batch = Source.Pool.Rent(Request.Id);
        batch.IsLast = isLast;
        foreach (var page in pages)
            batch.Add(PageContent.Of(new MemoryPage(page), null, PagerRig.TagOf(page)));
        Sink.OnPages(batch);
    }

    /// <summary>Answers with all that was asked for.</summary>
    public void Answer() => Answer(Pages);

    /// <summary>Ends the request without its pages.</summary>
    public void Fail(FetchFailure failure) => Sink.OnFailed(Request.Id, failure);
}
