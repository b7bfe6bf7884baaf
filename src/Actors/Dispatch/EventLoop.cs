using System.Collections.Concurrent;
using System.Diagnostics;
using Akka.Dispatch;

namespace Userfault.Actors;

/// <summary>
/// One thread and its queue of mailboxes to run. Posts from the loop's own thread go to a list that no other thread
/// sees; posts from elsewhere go through a concurrent queue and wake the thread only where it has parked.
/// </summary>
internal sealed class EventLoop
{
    // Foreign posts are looked for at least this often while the loop is busy with its own.
    private const int OwnBatch = 64;

    private readonly ConcurrentQueue<IRunnable> _foreign = new();
    private readonly Queue<IRunnable> _own = new(256);
    private readonly object _bell = new();
    private readonly Thread _thread;
    private readonly Action<Exception> _failed;
    private readonly long _spinTicks;
    private volatile bool _parked;
    private volatile bool _stopping;

    public EventLoop(string name, TimeSpan spin, Action<Exception> failed)
    {
        _failed = failed;
        // The dispatcher is the shell that owns a thread: real time is allowed here, and only decides when to park.
#pragma warning disable RS0030
        _spinTicks = (long)(spin.TotalSeconds * Stopwatch.Frequency);
#pragma warning restore RS0030
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
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
        if (_parked) Wake();
    }

    public void Stop()
    {
        _stopping = true;
        Wake();
    }

    private void Run()
    {
        while (true)
        {
            if (RunSome()) continue;
            if (_stopping) return;
            if (SpinForWork()) continue;
            Park();
        }
    }

    private bool RunSome()
    {
        var any = false;
        for (var i = 0; i < OwnBatch && _own.TryDequeue(out var run); i++)
        {
            Execute(run);
            any = true;
        }

        for (var i = 0; i < OwnBatch && _foreign.TryDequeue(out var run); i++)
        {
            Execute(run);
            any = true;
        }

        return any;
    }

    private void Execute(IRunnable run)
    {
#pragma warning disable CA1031 // A mailbox that throws must not end the thread of all the others.
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

    private bool SpinForWork()
    {
#pragma warning disable RS0030
        var until = Stopwatch.GetTimestamp() + _spinTicks;
        do
        {
            if (!_foreign.IsEmpty) return true;
            Thread.SpinWait(1);
        }
        while (!_stopping && Stopwatch.GetTimestamp() < until);
#pragma warning restore RS0030
        return false;
    }

    private void Park()
    {
        lock (_bell)
        {
            _parked = true;
            Interlocked.MemoryBarrier();
            while (_parked && _foreign.IsEmpty && !_stopping) Monitor.Wait(_bell);
            _parked = false;
        }
    }

    private void Wake()
    {
        lock (_bell)
        {
            _parked = false;
            Monitor.Pulse(_bell);
        }
    }
}
