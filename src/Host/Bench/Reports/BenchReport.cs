namespace Userfault.Cli;

/// <summary>What a run of <c>bench handler</c> came to, and its conditions.</summary>
internal sealed record BenchReport
{
    /// <summary>The handlers; ratios are against the first.</summary>
    public required IReadOnlyList<HandlerName> Handlers { get; init; }

    /// <summary>Pages of each VM.</summary>
    public required ulong Pages { get; init; }

    /// <summary>Bytes of a page: 4 KiB, or 2 MiB.</summary>
    public required ulong PageBytes { get; init; }

    /// <summary>What memory is, where it is not the same with every handler by its name.</summary>
    public string Memory =>
        Handlers.Select(static h => h.Memory).Distinct().Count() == 1
            ? Handlers[0].Memory
            : string.Join(", ", Handlers.Select(static h => $"{h.Name} {h.Memory}"));

    /// <summary>In which order pages are touched.</summary>
    public required string Pattern { get; init; }

    /// <summary>What a toucher computes between two touches.</summary>
    public required double ThinkNs { get; init; }

    /// <summary>Turns of each cell.</summary>
    public required int Rounds { get; init; }

    /// <summary>What content is compared with; null where it is not.</summary>
    public required string? Image { get; init; }

    /// <summary>The machine.</summary>
    public required string Machine { get; init; }

    /// <summary>The cells: by touchers, then load, then handler.</summary>
    public required IReadOnlyList<BenchCell> Cells { get; init; }

    /// <summary>A touch of a page that is in place, by the same call: the median over all turns.</summary>
    public double FloorP50Ns => Floor(static t => t.FloorP50Ns);

    /// <summary>99 % of such touches took no longer.</summary>
    public double FloorP99Ns => Floor(static t => t.FloorP99Ns);

    /// <summary>Pages whose content was compared.</summary>
    public long Checked => Cells.SelectMany(static c => c.Turns).Sum(static t => t.Checked);

    /// <summary>Did every handler serve every page, rightly?</summary>
    public bool IsGood => Failures.Count == 0;

    /// <summary>What went wrong, a line per handler.</summary>
    public IReadOnlyList<string> Failures =>
        [
            .. Cells
                .Where(static c => c.Failure is not null)
                .Select(static c =>
                    $"{c.Handler}, {c.Touchers} touchers{(c.Load > 0 ? $", load {c.Load}" : "")}: "
                    + $"{c.Failure!.Message}"
                ),
        ];

    private double Floor(Func<TurnResult, long> figure) =>
        Spread
            .Of(
                Cells.SelectMany(static c => c.Turns).Where(static t => t.FloorP50Ns > 0).Select(t => (double)figure(t))
            )
            .Median;
}
