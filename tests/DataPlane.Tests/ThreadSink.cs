using System.Collections.Concurrent;
using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>Notes on which thread it is called, and how many requests have ended.</summary>
internal sealed class ThreadSink(TestLoop loop) : IPageSink
{
    private readonly ConcurrentQueue<(ulong Id, FetchFailure Failure)> _failures = new();
    private int _ended;
    private volatile bool _wasElsewhere;

    public bool WasAlwaysOnLoop => !_wasElsewhere;

    public Action? OnDelivery { get; set; }

    public IReadOnlyCollection<(ulong Id, FetchFailure Failure)> Failures => _failures;

    public Task Ended(int requests) =>
        global::Userfault.Tests.Eventually.Holds(() => Volatile.Read(ref _ended) >= requests);

    public void OnPages(PageBatch batch)
    {
        _wasElsewhere |= !loop.IsCurrent;
        OnDelivery?.Invoke();
        var isLast = batch.IsLast;
        batch.Release();
        if (isLast)
            Interlocked.Increment(ref _ended);
    }

    public void OnFailed(ulong requestId, FetchFailure failure)
    {
        _failures.Enqueue((requestId, failure));
        Interlocked.Increment(ref _ended);
    }
}
