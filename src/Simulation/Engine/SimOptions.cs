namespace Userfault.Simulation;

/// <summary>How a <see cref="SimWorld"/> runs. The defaults are for tests and swarms.</summary>
public sealed record SimOptions
{
    /// <summary>
    /// How far apart the seed may move two mailbox runs that became ready together, in steps: 1 is first come first
    /// served, more tries more orders.
    /// </summary>
    public int Window { get; init; } = 64;

    /// <summary>
    /// Virtual time that a mailbox run takes, in ns. With 0, all that follows from one timer is over before the next
    /// one fires; with more, timers fall due in the middle of it.
    /// </summary>
    public long StepNs { get; init; }

    /// <summary>
    /// Most steps at one instant of virtual time: more is a livelock, and the run ends with
    /// <see cref="SimStuckException"/>.
    /// </summary>
    public long MostStepsAnInstant { get; init; } = 50_000_000;

    /// <summary>How many of the last log lines are kept for a failure's report.</summary>
    public int KeptLogLines { get; init; } = 200;

    /// <summary>
    /// Is work noticed that actors hand to the thread pool, to threads of their own and to real timers? Off, only what
    /// comes back as a message from a foreign thread is noticed.
    /// </summary>
    public bool WatchesEscapes { get; init; } = true;
}
