using Userfault.Linux;

namespace Userfault.Pages;

/// <summary>
/// Drives <see cref="IPumped"/> sources by the real clock from one thread of its own that spins: a sleep of 30 us takes
/// 118, and schedulers tick in milliseconds. The thread exists from the first <see cref="Add"/> and spins only while a
/// completion is outstanding within the next tenth of a millisecond; else it is parked. It is outside the actors: sinks
/// hand over.
/// </summary>
public sealed class SpinningPump : IDisposable
{
    // Due further away than this, the thread sleeps through all but the last of it: waking takes about so long.
    private const long SleepAboveNs = 100_000;
    private const long WakeNs = 60_000;
    private readonly Doorbell _wakeUp = new();
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly bool _ticksAreNs;
    private IPumped[] _sources = [];
    private Thread? _thread;
    private volatile bool _parked;
    private volatile bool _stopped;

    /// <summary>A pump by <paramref name="time"/>'s monotonic clock; the machine's where null.</summary>
    public SpinningPump(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        // So on Linux; a 128-bit division at every look at the clock would cost more than the look.
        _ticksAreNs = _time.TimestampFrequency == 1_000_000_000;
    }

    /// <summary>The clock of this pump in ns: what <see cref="PageRequest.SentNs"/> must be taken from.</summary>
    public long NowNs =>
        _ticksAreNs
            ? _time.GetTimestamp()
            : (long)((Int128)_time.GetTimestamp() * 1_000_000_000 / _time.TimestampFrequency);

    /// <summary>Is the thread asleep because nothing is due?</summary>
    public bool IsParked => _parked;

    /// <summary>Drives one more source.</summary>
    public void Add(IPumped source)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            _sources = [.. _sources, source];
            if (_thread == null)
            {
                _thread = new Thread(Run) { Name = "userfault-pump", IsBackground = true };
                _thread.Start();
            }
        }
        Wake();
    }

    /// <summary>Stops driving a source; a completion that is being delivered may still come.</summary>
    public void Remove(IPumped source)
    {
        lock (_lock)
            _sources = [.. _sources.Where(s => s != source)];
    }

    /// <summary>
    /// A source's <see cref="IPumped.NextDueNs"/> may have moved nearer. Cheap while the thread runs.
    /// </summary>
    public void Wake()
    {
        // The other half of the handshake in Park: either this sees the flag, or Park sees the due time.
        Interlocked.MemoryBarrier();
        if (_parked)
            _wakeUp.Ring();
    }

    /// <summary>Ends the thread; outstanding completions are not delivered.</summary>
    public void Dispose()
    {
        Thread? thread;
        lock (_lock)
        {
            _stopped = true;
            thread = _thread;
            _thread = null;
        }
        _wakeUp.Ring();
        // A sink may dispose of the pump that calls it.
        if (thread != null && thread != Thread.CurrentThread)
            thread.Join();
    }

    private void Run()
    {
        while (!_stopped)
        {
            var dueNs = long.MaxValue;
            foreach (var source in Volatile.Read(ref _sources))
            {
                if (source.NextDueNs != long.MaxValue)
                    source.Pump(NowNs);
                dueNs = Math.Min(dueNs, source.NextDueNs);
            }
            if (dueNs == long.MaxValue || dueNs - NowNs > SleepAboveNs)
                Park();
            else
                Thread.SpinWait(8);
        }
    }

    private void Park()
    {
        _parked = true;
        Interlocked.MemoryBarrier();
        var dueNs = Volatile.Read(ref _sources).Select(static s => s.NextDueNs).DefaultIfEmpty(long.MaxValue).Min();
        var sleepNs = dueNs == long.MaxValue ? Doorbell.Forever : Math.Max(0, dueNs - NowNs - WakeNs);
        if (sleepNs != 0 && !_stopped)
            _wakeUp.Wait(sleepNs);
        _parked = false;
    }
}
