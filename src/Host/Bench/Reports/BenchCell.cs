namespace Userfault.Cli;

/// <summary>One handler under one number of touchers and one load: the rounds of it.</summary>
/// <param name="Handler">Its name.</param>
/// <param name="Touchers">Threads that touched.</param>
/// <param name="Load">Busy loops beside them.</param>
/// <param name="Turns">A turn per round; fewer where one failed, which is the last.</param>
/// <param name="Yardstick">The first handler's turns in the same rounds.</param>
internal sealed record BenchCell(
    string Handler,
    int Touchers,
    int Load,
    IReadOnlyList<TurnResult> Turns,
    IReadOnlyList<TurnResult> Yardstick
)
{
    private IEnumerable<TurnResult> Good => Turns.Where(static t => t.Problem == TurnProblem.None);

    /// <summary>The turn that failed; null where none did.</summary>
    public TurnResult? Failure => Turns.FirstOrDefault(static t => t.Problem != TurnProblem.None);

    /// <summary>Are there figures?</summary>
    public bool HasFigures => Good.Any();

    /// <summary>Pages per second.</summary>
    public Spread PerSecond => Of(static t => t.PerSecond);

    /// <summary>Pages per second against the first handler's in the same round.</summary>
    public Spread Ratio =>
        Spread.Of(
            Turns
                .Zip(Yardstick)
                .Where(static t =>
                    t.First.Problem == TurnProblem.None && t.Second is { Problem: TurnProblem.None, PerSecond: > 0 }
                )
                .Select(static t => t.First.PerSecond / t.Second.PerSecond)
        );

    /// <summary>Waits at the median, 99 % and 99.9 % of all touches.</summary>
    public Spread P50Ns => Of(static t => t.P50Ns);

    /// <inheritdoc cref="P50Ns"/>
    public Spread P99Ns => Of(static t => t.P99Ns);

    /// <inheritdoc cref="P50Ns"/>
    public Spread P999Ns => Of(static t => t.P999Ns);

    /// <summary>The longest wait of a round; the highest of these is the longest of all.</summary>
    public Spread MaxNs => Of(static t => t.MaxNs);

    /// <summary>From the handover to the first page.</summary>
    public Spread FirstPageNs => Of(static t => t.FirstPageNs);

    /// <summary>Share of its run that the median toucher waits.</summary>
    public Spread StallMedian => Of(static t => t.StallMedian);

    /// <summary>The same of the toucher that waits most.</summary>
    public Spread StallWorst => Of(static t => t.StallWorst);

    /// <summary>Share of the touches that waited for their page.</summary>
    public Spread WaitedShare => Of(static t => t.Touches == 0 ? 0 : (double)t.Waited / t.Touches);

    /// <summary>Share of the waits spent on the run queue; null where the kernel does not tell.</summary>
    public Spread? QueuedShare =>
        Good.Any() && Good.All(static t => t.QueuedShare is not null) ? Of(static t => t.QueuedShare ?? 0) : null;

    private Spread Of(Func<TurnResult, double> figure) => Spread.Of(Good.Select(figure));
}
