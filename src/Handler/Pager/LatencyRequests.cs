using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Requests of other threads for a copy of a pager's latencies. The pager's thread alone writes them, and copies them
/// between two pieces of work. A thread that asks waits for the copy; when the pager's thread has ended, any thread
/// reads what it left.
/// </summary>
/// <param name="own">The thread's histogram.</param>
/// <param name="wake">Wakes the thread.</param>
internal sealed class LatencyRequests(LatencyHistogram own, Action wake)
{
    private const int TimeoutMs = 1000;
    private readonly Lock _asking = new();
    private Request? _request;
    private volatile bool _isClosed;

    /// <summary>The pager's thread looks for a request; cheap where there is none.</summary>
    public void Look()
    {
        if (Volatile.Read(ref _request) is null || Interlocked.Exchange(ref _request, null) is not { } request)
            return;
        request.Copy.Add(own);
        request.Done.Set();
    }

    /// <summary>The pager's thread will not look again; a request that is there is answered.</summary>
    public void Close()
    {
        _isClosed = true;
        Interlocked.MemoryBarrier();
        Look();
    }

    /// <summary>
    /// Does something to what the pager's thread owns, unless the thread has ended and it may be gone.
    /// </summary>
    public void WhileOpen(Action action)
    {
        lock (_asking)
        {
            if (!_isClosed)
                action();
        }
    }

    /// <summary>
    /// Waits until no thread is in the middle of asking; after <see cref="Close"/>, none wakes the pager's thread any
    /// more.
    /// </summary>
    public void Drain()
    {
        lock (_asking)
        {
            _isClosed = true;
        }
    }

    /// <summary>A copy, for any other thread; empty where the pager's thread did not look within a second.</summary>
    public LatencyHistogram Ask()
    {
        // One at a time: a second request would take the first one's place.
        lock (_asking)
        {
            var request = new Request();
            Interlocked.Exchange(ref _request, request);
            // It may have looked for the last time just before.
            if (_isClosed)
                Look();
            else
                wake();
            if (request.Done.Wait(TimeoutMs))
                return request.Copy;
            Interlocked.CompareExchange(ref _request, null, request);
            return new LatencyHistogram();
        }
    }

    private sealed class Request
    {
        public LatencyHistogram Copy { get; } = new();

        public ManualResetEventSlim Done { get; } = new();
    }
}
