using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Dispatch;
using Userfault.Linux;

namespace Userfault.Actors;

/// <summary>
/// One thread with a queue of mailboxes to run. Posts from the loop's own thread go to a list that no other thread
/// accesses; posts from other threads go through a concurrent queue and wake the thread only if it is parked. The loop
/// is also a clock: the thread itself sends timed messages, so timers for its own actors involve no other thread. And
/// it reads descriptors: what arrives for its actors is received on their thread, after everything that they had to do.
/// </summary>
internal sealed class EventLoop : IGuestTime, IReadinessLoop
{
    // The foreign queue is checked at least this often while the loop is busy with its own posts.
    private const int OwnBatch = 64;

    // Mailboxes with much to do end a turn early: what they left to be sent waits for the turn's end.
    private const long MaxTurnNs = 100_000;
    private const int RunsPerLook = 8;

    // Waking a parked thread takes about this long: a loop that may spin wakes this much before the next timer is due.
    private const long WakeNs = 60_000;

    private readonly ConcurrentQueue<IRunnable> _foreign = new();
    private readonly Queue<IRunnable> _own = new(256);
    private readonly PriorityQueue<(IActorRef Receiver, object Message), long> _timers = new();
    private readonly Doorbell _bell = new();
    private readonly Thread _thread;
    private readonly Action<Exception> _failed;
    private readonly TimeProvider _time;
    private readonly bool _ticksAreNs;
    private readonly long _spinNs;
    private readonly Readables _readables;
    private long _nextDueNs = long.MaxValue;
    private volatile bool _parked;
    private volatile bool _stopping;

    public EventLoop(string name, TimeSpan spin, Action<Exception> failed)
    {
        _failed = failed;
        // The dispatcher is the shell that owns a thread, so real time is allowed here.
        _time = TimeProvider.System;
        _ticksAreNs = _time.TimestampFrequency == 1_000_000_000;
        _spinNs = spin.Ticks * 100;
        _readables = new Readables(_bell);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <inheritdoc/>
    public long NowNs =>
        _ticksAreNs
            ? _time.GetTimestamp()
            : (long)((Int128)_time.GetTimestamp() * 1_000_000_000 / _time.TimestampFrequency);

    /// <inheritdoc/>
    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <inheritdoc/>
    public bool TryAdd(IReadable readable)
    {
        if (!_readables.TryAdd(readable))
            return false;
        if (!IsCurrent)
            _bell.Ring();
        return true;
    }

    /// <inheritdoc/>
    public void Remove(IReadable readable) => _readables.Remove(readable);

    /// <inheritdoc/>
    public void TellAt(long dueNs, IActorRef receiver, object message)
    {
        if (Thread.CurrentThread == _thread)
            Add(dueNs, receiver, message);
        else
            Post(new Timer(this, dueNs, receiver, message));
    }

    public void Post(IRunnable run)
    {
        if (Thread.CurrentThread == _thread)
        {
            _own.Enqueue(run);
            return;
        }

        _foreign.Enqueue(run);
        // Enqueue is a full fence: either this sees the flag, or the loop sees the work before it parks.
        Interlocked.MemoryBarrier();
        if (_parked)
            _bell.Ring();
    }

    public void Stop()
    {
        _stopping = true;
        _bell.Ring();
    }

    private void Run()
    {
        while (true)
        {
            // Descriptors after the actors: what has arrived in the meantime is one batch.
            if (RunSome() | TellDue() | Read())
                continue;
            if (_stopping)
                break;
            if (SpinForWork())
                continue;
            Park();
        }

        _readables.End(_failed);
        _bell.Dispose();
    }

    private bool RunSome()
    {
        var any = false;
        var untilNs = _readables.IsEmpty ? long.MaxValue : NowNs + MaxTurnNs;
        for (var i = 0; i < OwnBatch && HasTime(i, untilNs) && _own.TryDequeue(out var run); i++)
        {
            Execute(run);
            any = true;
        }

        for (var i = 0; i < OwnBatch && HasTime(i, untilNs) && _foreign.TryDequeue(out var run); i++)
        {
            Execute(run);
            any = true;
        }

        return any;
    }

    // At least one run per turn and queue.
    private bool HasTime(int runs, long untilNs) =>
        untilNs == long.MaxValue || runs == 0 || runs % RunsPerLook != 0 || NowNs < untilNs;

    private bool TellDue()
    {
        if (_nextDueNs == long.MaxValue || NowNs is var nowNs && nowNs < _nextDueNs)
            return false;
        while (_timers.TryPeek(out var due, out var dueNs) && dueNs <= nowNs)
        {
            _timers.Dequeue();
            due.Receiver.Tell(due.Message, ActorRefs.NoSender);
        }

        _nextDueNs = _timers.TryPeek(out _, out var next) ? next : long.MaxValue;
        return true;
    }

    private void Add(long dueNs, IActorRef receiver, object message)
    {
        _timers.Enqueue((receiver, message), dueNs);
        _nextDueNs = Math.Min(_nextDueNs, dueNs);
    }

    private void Execute(IRunnable run)
    {
#pragma warning disable CA1031 // A mailbox that throws must not end the thread that runs all the others.
        try
        {
            run.Run();
        }
        catch (Exception failure)
        {
            _failed(failure);
        }
#pragma warning restore CA1031
    }

    private bool Read()
    {
#pragma warning disable CA1031 // The same for a descriptor's reader.
        try
        {
            return _readables.Read();
        }
        catch (Exception failure)
        {
            _failed(failure);
            return true;
        }
#pragma warning restore CA1031
    }

    // True if there is work or a timer is due.
    private bool SpinForWork()
    {
        if (_spinNs == 0)
            return !_foreign.IsEmpty;
        var nowNs = NowNs;
        // A timer that is due before the thread could sleep and wake again is waited for here.
        var isNear = _nextDueNs - nowNs < _spinNs + WakeNs;
        var until = isNear ? _nextDueNs : nowNs + _spinNs;
        do
        {
            if (!_foreign.IsEmpty || Read())
                return true;
            Thread.SpinWait(1);
        } while (!_stopping && NowNs < until);
        return isNear;
    }

    private void Park()
    {
        _parked = true;
        Interlocked.MemoryBarrier();
        if (_foreign.IsEmpty && !_readables.HasAdded && !_stopping)
        {
            if (_nextDueNs == long.MaxValue)
                _bell.Wait(Doorbell.Forever);
            else if (_nextDueNs - NowNs - (_spinNs > 0 ? WakeNs : 0) is > 0 and var sleepNs)
                _bell.Wait(sleepNs);
        }

        _parked = false;
    }

    // Added from another thread: it runs on the loop's thread, which enters it into the timers.
    private sealed class Timer(EventLoop loop, long dueNs, IActorRef receiver, object message) : IRunnable
    {
        public void Run() => loop.Add(dueNs, receiver, message);

        // IRunnable extends IThreadPoolWorkItem, but this one is never queued to the thread pool.
        public void Execute() => Run();
    }
}
