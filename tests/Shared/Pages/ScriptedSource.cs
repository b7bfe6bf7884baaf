using System.Collections.Concurrent;
using Userfault.Pages;

namespace Userfault.Tests;

/// <summary>
/// A page source that does what a test says. It keeps every request; the test answers it when and how it likes, within
/// the call by <see cref="OnRequest"/> or later, from any thread. What is unanswered when the source is closed ends as
/// lost.
/// </summary>
internal sealed class ScriptedSource : IPageSource
{
    private readonly Lock _lock = new();
    private readonly List<Asked> _asked = [];
    private readonly List<ulong> _cancelled = [];
    private readonly ConcurrentQueue<string> _calls = new();

    /// <summary>A source of that name over nothing, or with a real source behind it.</summary>
    /// <param name="name">Its name; the name of <paramref name="behind"/> where there is one.</param>
    /// <param name="behind">
    /// Whose image this source has and who answers what <see cref="Asked.PassOn"/> gives it; closed with this source.
    /// </param>
    public ScriptedSource(string name = "scripted", IPageSource? behind = null)
    {
        Behind = behind;
        Name = behind?.Name ?? name;
        Identity = behind?.Identity ?? default;
        Pages = behind?.Pages ?? 1 << 20;
    }

    public string Name { get; }

    public ImageIdentity Identity { get; init; }

    public ulong Pages { get; init; }

    /// <summary>Called with each request; may answer it, pass it on, or throw as a broken source would.</summary>
    public Action<Asked>? OnRequest { get; init; }

    /// <summary>The content of a page of its answers; zeros unless a test says otherwise.</summary>
    public Func<MemoryPage, PageContent> Content { get; init; } = PageContent.Zero;

    /// <summary>Where its batches come from.</summary>
    public PageBatchPool Pool { get; } = new();

    /// <summary>All requests, in order.</summary>
    public IReadOnlyList<Asked> Asked
    {
        get
        {
            lock (_lock)
                return [.. _asked];
        }
    }

    /// <summary>The requests that have not ended, in order.</summary>
    public IReadOnlyList<Asked> Outstanding => [.. Asked.Where(asked => !asked.HasEnded)];

    /// <summary>The numbers of cancelled requests, in order. Cancelling ends nothing here: the test does.</summary>
    public IReadOnlyList<ulong> Cancelled
    {
        get
        {
            lock (_lock)
                return [.. _cancelled];
        }
    }

    /// <summary>All calls, in order: "gather", "request 7", "send", "cancel 7", "give up", "dispose".</summary>
    public IReadOnlyList<string> Calls => [.. _calls];

    public bool IsGivenUp { get; private set; }

    public bool IsDisposed { get; private set; }

    internal IPageSource? Behind { get; }

    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        _calls.Enqueue($"request {request.Id}");
        var asked = new Asked(this, request, ranges, sink);
        lock (_lock)
            _asked.Add(asked);
        OnRequest?.Invoke(asked);
    }

    public void Gather() => _calls.Enqueue("gather");

    public void Send() => _calls.Enqueue("send");

    public void Cancel(ulong requestId)
    {
        _calls.Enqueue($"cancel {requestId}");
        lock (_lock)
            _cancelled.Add(requestId);
        Behind?.Cancel(requestId);
    }

    public void GiveUp()
    {
        _calls.Enqueue("give up");
        IsGivenUp = true;
    }

    public void Dispose()
    {
        _calls.Enqueue("dispose");
        IsDisposed = true;
        foreach (var asked in Outstanding)
            asked.Fail(FetchFailure.SourceLost);
        Behind?.Dispose();
    }
}
