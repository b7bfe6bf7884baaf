namespace Userfault.Fetch;

/// <summary>
/// How pages are asked for: the knobs of every fetch engine, whichever shell it runs in. Durations in ns, sizes in
/// pages.
/// </summary>
public sealed record FetchSettings
{
    /// <summary>Maximum pages in one request to a source.</summary>
    public int RequestPages { get; init; } = 64;

    /// <summary>Maximum pages asked for and not answered, demand and background together.</summary>
    public int WindowPages { get; init; } = 4096;

    /// <summary>
    /// Maximum background pages asked for and not answered. Small, so that demand never waits long behind them.
    /// </summary>
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

    /// <summary>
    /// Are pages that are waited for longer than the p95 of the demand latency requested a second time?
    /// </summary>
    public bool Hedge { get; init; } = true;

    /// <summary>No hedge before this, however low the p95 is.</summary>
    public long HedgeFloorNs { get; init; } = 1_000_000;

    /// <summary>Maximum hedged pages, in percent of all pages asked for.</summary>
    public int HedgePercent { get; init; } = 10;

    /// <summary>
    /// Answers from a source that were wrong or refused before it is given up; also, timeouts in a row without a page
    /// between them.
    /// </summary>
    public int MaxBadAnswers { get; init; } = 8;

    /// <summary>Right answers after which one wrong answer is forgotten.</summary>
    public int ForgiveAnswers { get; init; } = 64;
}
