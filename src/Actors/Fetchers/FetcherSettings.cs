namespace Userfault.Actors;

/// <summary>How a fetcher asks its sources. Durations in ns, sizes in pages.</summary>
public sealed record FetcherSettings
{
    /// <summary>Most pages in one request.</summary>
    public int RequestPages { get; init; } = 64;

    /// <summary>Most pages asked for and not answered, demand and background together.</summary>
    public int WindowPages { get; init; } = 4096;

    /// <summary>Most background pages asked for and not answered. Small, so that demand never waits long behind them.</summary>
    public int BackgroundWindowPages { get; init; } = 256;

    /// <summary>
    /// How much longer than the quickest a demand request may take, in ns, before less background is asked for at once:
    /// what is on its way already cannot be overtaken. 0 asks for the whole window always.
    /// </summary>
    public long DemandDelayNs { get; init; } = 200_000;

    /// <summary>A request without an answer is asked again of another source after this; 0 never.</summary>
    public long TimeoutNs { get; init; } = 500_000_000;

    /// <summary>How often timeouts and hedges are looked for.</summary>
    public long TickNs { get; init; } = 10_000_000;

    /// <summary>Is a demand request that takes longer than the p95 latency asked of a second source as well?</summary>
    public bool Hedge { get; init; } = true;

    /// <summary>No hedge before this, however low the p95 is.</summary>
    public long HedgeFloorNs { get; init; } = 1_000_000;

    /// <summary>Most hedges, in percent of all pages asked for.</summary>
    public int HedgePercent { get; init; } = 10;

    /// <summary>
    /// Answers from a source that were wrong or refused before it is given up; also, timeouts in a row without a page
    /// between them.
    /// </summary>
    public int MostBadAnswers { get; init; } = 8;

    /// <summary>Right answers after which one wrong answer is forgotten.</summary>
    public int ForgiveAnswers { get; init; } = 64;
}
