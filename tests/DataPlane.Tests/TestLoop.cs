using Userfault.Linux;

namespace Userfault.DataPlane.Tests;

/// <summary>
/// A thread that does nothing but read what is added, as an event loop of actors does between messages.
/// </summary>
internal sealed class TestLoop : IReadinessLoop, IDisposable
{
    private readonly Doorbell _bell = new();
    private readonly Lock _lock = new();
    private readonly List<IReadable> _all = [];
    private readonly Queue<Action> _posted = new();
    private readonly Thread _thread;
    private bool _isOver;

    public TestLoop()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "test loop" };
        _thread.Start();
    }

    /// <summary>How many descriptors the loop reads.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _all.Count;
        }
    }

    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>Runs on the loop's thread.</summary>
    public void Post(Action action)
    {
        lock (_lock)
            _posted.Enqueue(action);
        _bell.Ring();
    }

    public bool TryAdd(IReadable readable)
    {
        lock (_lock)
        {
            if (_isOver || !Doorbell.TakesDescriptors)
                return false;
            _all.Add(readable);
        }

        _bell.Ring();
        return true;
    }

    public void Remove(IReadable readable)
    {
        Assert.True(IsCurrent);
        lock (_lock)
            _all.Remove(readable);
    }

    public void Dispose()
    {
        lock (_lock)
            _isOver = true;
        _bell.Ring();
        if (!IsCurrent)
            Assert.True(_thread.Join(Plane.Patience));
    }

    private void Run()
    {
        while (true)
        {
            IReadable[] all;
            Action[] posted;
            lock (_lock)
            {
                (all, posted) = ([.. _all], [.. _posted]);
                _posted.Clear();
                if (_isOver)
                    break;
            }

            foreach (var action in posted)
                action();
            foreach (var readable in all)
                readable.OnIdle();
            if (posted.Length + all.Count(static r => r.TryRead()) > 0)
                continue;
            _bell.Watch([.. all.Select(static r => r.Fd)]);
            _bell.Wait(Doorbell.Forever);
        }

        foreach (var readable in _all.ToArray())
            readable.OnLoopEnded();
        _bell.Dispose();
    }
}
