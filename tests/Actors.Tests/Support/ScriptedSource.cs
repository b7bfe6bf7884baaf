using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Actors.Tests;

/// <summary>
/// A page source that a test answers for: every request is told to <paramref name="told"/> as <see cref="Asked"/>.
/// </summary>
internal sealed class ScriptedSource(string name, IActorRef told) : IPageSource
{
    private readonly List<Asked> _outstanding = [];

    /// <summary>Called with each request before it is told; may throw, as a broken source would.</summary>
    public Action<Asked>? OnRequest { get; init; }

    public PageBatchPool Pool { get; } = new();

    public string Name => name;

    public ImageIdentity Identity => default;

    public ulong Pages => 1 << 20;

    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        var pages = new List<ulong>();
        foreach (var range in ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
                pages.Add(range.Start.Value + i);
        }

        var asked = new Asked(this, request, pages, sink);
        _outstanding.Add(asked);
        OnRequest?.Invoke(asked);
        told.Tell(asked, ActorRefs.NoSender);
    }

    public void Cancel(ulong requestId) { }

    // As sources do: what is outstanding ends as lost. Requests that were answered are known to the fetcher as over.
    public void Dispose()
    {
        foreach (var asked in _outstanding)
            asked.Fail(FetchFailure.SourceLost);
        _outstanding.Clear();
    }
}
