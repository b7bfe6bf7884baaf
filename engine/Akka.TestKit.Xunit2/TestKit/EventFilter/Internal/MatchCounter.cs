using System.Diagnostics;
using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>Counts the events that some filters mean and lets a test wait for them. Keeps the last one for the report.</summary>
internal sealed class MatchCounter : IDisposable
{
    private readonly object _lock = new();
    private readonly IReadOnlyCollection<EventFilterBase> _filters;
    private int _count;
    private LogEvent? _last;

    public MatchCounter(IReadOnlyCollection<EventFilterBase> filters)
    {
        _filters = filters;
        foreach (var filter in filters)
            filter.EventMatched += Count;
    }

    public (int Count, LogEvent? Last) Seen
    {
        get
        {
            lock (_lock)
                return (_count, _last);
        }
    }

    /// <summary>Waits until at least <paramref name="count"/> events were seen or the time is up.</summary>
    public void WaitFor(int count, TimeSpan timeout)
    {
        var start = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            while (_count < count)
            {
                var left = timeout - Stopwatch.GetElapsedTime(start);
                if (left <= TimeSpan.Zero)
                    return;
                Monitor.Wait(_lock, (int)Math.Ceiling(left.TotalMilliseconds));
            }
        }
    }

    public void Dispose()
    {
        foreach (var filter in _filters)
            filter.EventMatched -= Count;
    }

    private void Count(EventFilterBase filter, LogEvent logEvent)
    {
        lock (_lock)
        {
            _count++;
            _last = logEvent;
            Monitor.PulseAll(_lock);
        }
    }
}
