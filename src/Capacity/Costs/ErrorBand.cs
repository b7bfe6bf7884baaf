using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// How far to trust a prediction of the kernel's cost: the measured cells that bound the region in which a setup lies,
/// and the largest error of the model for them when they were left out of the fit, alone or with their curve.
/// </summary>
/// <param name="Architecture">The host's architecture.</param>
/// <param name="Mode">How missing pages are caught.</param>
/// <param name="Readers">The threads that resolve faults.</param>
/// <param name="FromVcpus">The first number of vCPUs in the region; measured, unless the region begins at 1.</param>
/// <param name="ToVcpus">The last, measured; null if the region has no end.</param>
/// <param name="Anchors">The cells at the region's measured ends; empty if this architecture has none.</param>
public sealed record ErrorBand(
    Architecture Architecture,
    PagingMode Mode,
    ReaderKind Readers,
    int FromVcpus,
    int? ToVcpus,
    IReadOnlyList<BandAnchor> Anchors
)
{
    // A curve that is measured at 2, 8 and 64 vCPUs has no gap; one that is measured at 2 and 64 has.
    private const int MaxStep = 8;

    private static readonly Lazy<IReadOnlyList<(MeasuredCell Cell, double Error)>> Measured = new(static () =>
        [
            .. MeasurementTable
                .Training()
                .Cells()
                .Zip(
                    LeftOutErrors.Training,
                    static (cell, error) => (cell, Math.Max(Math.Abs(error.Cell), Math.Abs(error.Curve)))
                ),
        ]
    );

    /// <summary>Outside of the measured numbers of vCPUs.</summary>
    public bool IsExtrapolated => Anchors.Count < 2;

    /// <summary>Number of cells at the region's ends.</summary>
    public int Cells => Anchors.Sum(static a => a.Cells);

    /// <summary>
    /// The largest relative error of the cells at the region's ends when left out; null outside of the measured
    /// numbers of vCPUs, where no cell tells.
    /// </summary>
    public double? WorstError => IsExtrapolated ? null : Anchors.Max(static a => a.WorstError);

    /// <summary>
    /// Are the ends so far apart that the region's middle follows from the model's form alone?
    /// </summary>
    public bool HasGap => !IsExtrapolated && Anchors[^1].Vcpus > MaxStep * Anchors[0].Vcpus;

    /// <summary>The ends that have one cell only: a second measurement could contradict it.</summary>
    public IEnumerable<int> SingleCellsAt => Anchors.Where(static a => a.Cells == 1).Select(static a => a.Vcpus);

    /// <summary>
    /// Cells of the same kind on the other architecture, which a setup without any cell of its own rests on.
    /// </summary>
    public int CellsElsewhere { get; private init; }

    /// <summary>Has this kind been measured with the setup's memory, anonymous or shmem?</summary>
    public bool IsMemoryMeasured { get; private init; }

    /// <summary>The band in which a setup lies.</summary>
    public static ErrorBand Of(PagingSetup setup)
    {
        ArgumentNullException.ThrowIfNull(setup);
        var readers = KindOf(setup);
        var alike = Measured.Value.Where(c => c.Cell.Setup.Mode == setup.Mode && KindOf(c.Cell.Setup) == readers);
        var (here, elsewhere) = (
            alike.Where(c => c.Cell.Setup.Architecture == setup.Architecture).ToList(),
            alike.Count(c => c.Cell.Setup.Architecture != setup.Architecture)
        );
        var anchors = here.GroupBy(static c => c.Cell.Setup.Vcpus)
            .OrderBy(static g => g.Key)
            .Select(static g => new BandAnchor(g.Key, g.Count(), g.Max(static c => c.Error)))
            .ToList();
        var (from, to, bounds) = Region(anchors, setup.Vcpus);
        return new ErrorBand(setup.Architecture, setup.Mode, readers, from, to, bounds)
        {
            CellsElsewhere = here.Count == 0 ? elsewhere : 0,
            IsMemoryMeasured = here.Any(c => c.Cell.Setup.IsAnonymous == setup.IsAnonymous),
        };
    }

    private static (int From, int? To, IReadOnlyList<BandAnchor> Bounds) Region(List<BandAnchor> anchors, int vcpus)
    {
        if (anchors.Count == 0)
            return (1, null, []);
        if (vcpus < anchors[0].Vcpus)
            return (1, anchors[0].Vcpus, [anchors[0]]);
        if (vcpus > anchors[^1].Vcpus || anchors.Count == 1)
            return (anchors[^1].Vcpus, null, [anchors[^1]]);
        // A measured number of vCPUs belongs to the region that begins there; the last one to the region that it ends.
        var upper = anchors.FindIndex(a => a.Vcpus > vcpus);
        if (upper < 0)
            upper = anchors.Count - 1;
        return (anchors[upper - 1].Vcpus, anchors[upper].Vcpus, [anchors[upper - 1], anchors[upper]]);
    }

    private static ReaderKind KindOf(PagingSetup setup) =>
        setup switch
        {
            { Mode: not PagingMode.Userfaultfd } => ReaderKind.None,
            { HasDescriptorPerVcpu: true } => ReaderKind.Own,
            { Readers: > 1 } => ReaderKind.Several,
            _ => ReaderKind.One,
        };
}
