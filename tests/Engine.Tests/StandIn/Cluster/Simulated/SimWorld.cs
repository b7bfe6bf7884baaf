using Akka.Dispatch;

namespace Userfault.Engine.Tests.StandIn.Cluster.Simulated;

/// <summary>
/// One thread, one virtual clock: everything that actors, timers and the network do is a step in a queue. Time moves
/// only when nothing is left to do now.
/// </summary>
internal sealed class SimWorld(int seed)
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _later = new();
    private readonly Queue<IRunnable> _now = new();
    private long _order;

    /// <summary>The world that actor systems made on this thread belong to.</summary>
    [field: ThreadStatic]
    public static SimWorld? Current { get; set; }

    public Random Random { get; } = new(seed);

    public TimeSpan Now { get; private set; }

    /// <summary>A hash over what crossed the network, in order.</summary>
    public ulong Trace { get; private set; } = 14695981039346656037;

    public void Note(string happened)
    {
        foreach (var letter in $"{Now.Ticks} {happened}")
            Trace = (Trace ^ letter) * 1099511628211;
    }

    public void Ready(IRunnable run)
    {
        lock (_now)
            _now.Enqueue(run);
    }

    public void After(TimeSpan delay, Action action)
    {
        lock (_now)
            _later.Enqueue(action, (Now + delay, _order++));
    }

    public void RunUntil(Func<bool> holds, TimeSpan within, Func<string> otherwise)
    {
        var until = Now + within;
        while (!holds())
        {
            if (Now > until)
                Assert.Fail($"seed {seed}: {otherwise()}");
            // To look costs more than to go on.
            RunFor(TimeSpan.FromMilliseconds(20));
        }
    }

    public void RunFor(TimeSpan time)
    {
        var until = Now + time;
        After(time, static () => { });
        while (Now < until)
            Step();
    }

    private void Step()
    {
        IRunnable? run;
        Action? action = null;
        lock (_now)
        {
            if (!_now.TryDequeue(out run) && _later.TryDequeue(out action, out var when))
                Now = when.At;
        }
        if (run is not null)
            run.Run();
        else
            action?.Invoke();
    }
}
