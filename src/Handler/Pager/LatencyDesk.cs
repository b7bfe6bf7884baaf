using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Where others ask a pager's thread for a copy of its latencies: it alone writes them, and gives copies between two
/// pieces of work. Whoever asks waits; when the thread has ended, what it left is read by anybody.
/// </summary>
/// <param name="own">The thread's histogram.</param>
/// <param name="wake">Wakes the thread.</param>
internal sealed class LatencyDesk(LatencyHistogram own, Action wake)
{
    private const int PatienceMs = 1000;
    private readonly Lock _asking = new();
    private Wish? _wish;
    private volatile bool _isClosed;

    /// <summary>The thread looks for a wish; costs a glance where there is none.</summary>
    public void Look()
    {
        if (Volatile.Read(ref _wish) is null || Interlocked.Exchange(ref _wish, null) is not { } wish)
            return;
        wish.Copy.Add(own);
        wish.Done.Set();
    }

    /// <summary>The thread will not look again; what was wished is given.</summary>
    public void Close()
    {
        _isClosed = true;
        Interlocked.MemoryBarrier();
        Look();
    }

    /// <summary>Does something to the thread's belongings, unless it has ended: they may be gone then.</summary>
    public void WhileOpen(Action action)
    {
        lock (_asking)
        {
            if (!_isClosed)
                action();
        }
    }

    /// <summary>
    /// Waits until nobody is in the middle of asking; after <see cref="Close"/>, nobody wakes the thread any more.
    /// </summary>
    public void Drain()
    {
        lock (_asking)
        {
            _isClosed = true;
        }
    }

    /// <summary>A copy, from any other thread; empty where the thread did not look in a second.</summary>
    public LatencyHistogram Ask()
    {
        // One at a time: a second wish would take the first one's place.
        lock (_asking)
        {
            var wish = new Wish();
            Interlocked.Exchange(ref _wish, wish);
            // It may have looked for the last time just before.
            if (_isClosed)
                Look();
            else
                wake();
            if (wish.Done.Wait(PatienceMs))
                return wish.Copy;
            Interlocked.CompareExchange(ref _wish, null, wish);
            return new LatencyHistogram();
        }
    }

    private sealed class Wish
    {
        public LatencyHistogram Copy { get; } = new();

        public ManualResetEventSlim Done { get; } = new();
    }
}
