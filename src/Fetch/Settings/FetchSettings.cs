namespace Userfault.Fetch;

/// <summary>The settings of every fetch engine, whichever shell runs it. Durations in ns, sizes in pages.</summary>
public sealed record FetchSettings
{
    /// <summary>Maximum pages in one request to a source.</summary>
    public int RequestPages { get; init; } = 64;

    /// <summary>Maximum outstanding pages, demand and background together.</summary>
    public int WindowPages { get; init; } = 4096;

    /// <summary>Maximum outstanding background pages. Small, so that demand never waits long behind them.</summary>
    public int BackgroundWindowPages { get; init; } = 256;

    /// <summary>
    /// How far the latency of a demand request may exceed the lowest recent one, in ns, before the number of
    /// outstanding background pages is reduced: pages already in flight cannot be overtaken. 0 always keeps the full
    /// window.
    /// </summary>
    public long DemandDelayNs { get; init; } = 200_000;

    /// <summary>Time after which an unanswered request is retried at another source, in ns; 0 never.</summary>
    public long TimeoutNs { get; init; } = 500_000_000;

    /// <summary>Interval between checks for timeouts and hedges, in ns.</summary>
    public long TickNs { get; init; } = 10_000_000;

    /// <summary>
    /// Are pages requested a second time when a vCPU has waited for them longer than the p95 of the demand latency?
    /// </summary>
    public bool Hedge { get; init; } = true;

    /// <summary>Minimum wait before a hedge, in ns, however low the p95 is.</summary>
    public long HedgeFloorNs { get; init; } = 1_000_000;

    /// <summary>Maximum hedged pages, in percent of all pages requested.</summary>
    public int HedgePercent { get; init; } = 10;

    /// <summary>
    /// Number of wrong or refused answers after which a source is given up; also the number of consecutive timeouts
    /// without a page in between.
    /// </summary>
    public int MaxBadAnswers { get; init; } = 8;

    /// <summary>Number of correct answers after which one wrong answer is forgotten.</summary>
    public int ForgiveAnswers { get; init; } = 64;
}
