using Userfault.Tests;

namespace Userfault.Pages.Tests.Sources;

/// <summary>Writes down what came, when, and copies the pages out before it releases the batch.</summary>
internal sealed class CollectingSink : IPageSink
{
    public List<(ulong Id, long AtNs, PageContentKind[] Kinds, ulong[] Gfns, byte[][] Pages)> Answers { get; } = [];

    public List<(ulong Id, FetchFailure Failure)> Failures { get; } = [];

    public void OnPages(PageBatch batch)
    {
        Assert.True(batch.IsLast);
        var pages = batch.Pages.ToArray();
        Answers.Add(
            (
                batch.RequestId,
                batch.CompletedNs,
                [.. pages.Select(static p => p.Kind)],
                [.. pages.Select(static p => p.Page.Value)],
                [.. pages.Select(static p => Bytes.PageOf(p))]
            )
        );
        batch.Release();
    }

    public void OnFailed(ulong requestId, FetchFailure failure) => Failures.Add((requestId, failure));
}
