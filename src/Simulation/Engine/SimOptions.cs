namespace Userfault.Simulation;

/// <summary>The settings of a <see cref="SimWorld"/>. The defaults are for tests and swarms.</summary>
public sealed record SimOptions
{
    /// <summary>
    /// How far apart, in steps, the seed may move two mailbox runs that became ready together. With 1 it reorders only
    /// the runs of one step; larger windows try more orders.
    /// </summary>
    public int Window { get; init; } = 64;

    /// <summary>
    /// Virtual time that a mailbox run takes, in ns. With 0, all consequences of one timer are processed before the
    /// next timer fires; otherwise timers fire in between.
    /// </summary>
    public long StepNs { get; init; }

    /// <summary>
    /// Maximum steps at one instant of virtual time: more is a livelock, and the run ends with
    /// <see cref="SimStuckException"/>.
    /// </summary>
    public long MostStepsAnInstant { get; init; } = 50_000_000;

    /// <summary>Number of recent log lines kept for a failure's report.</summary>
    public int KeptLogLines { get; init; } = 200;

    /// <summary>
    /// Is work detected that actors hand to the thread pool, to their own threads and to real timers? If off, only
    /// messages from foreign threads are detected.
    /// </summary>
    public bool WatchesEscapes { get; init; } = true;
}
