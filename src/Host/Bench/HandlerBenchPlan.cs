namespace Userfault.Cli;

/// <summary>What a run of <c>bench handler</c> is to measure.</summary>
/// <param name="Handlers">The handlers; ratios are against the first.</param>
/// <param name="Touchers">Counts of touching threads.</param>
/// <param name="Loads">Counts of busy loops beside them: 0, and what was asked for.</param>
/// <param name="Rounds">Turns of each.</param>
/// <param name="Turn">What all turns share; the rest is set for each.</param>
internal sealed record HandlerBenchPlan(
    IReadOnlyList<HandlerName> Handlers,
    IReadOnlyList<int> Touchers,
    IReadOnlyList<int> Loads,
    int Rounds,
    TurnSettings Turn
);
