using System.Globalization;
using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>How far to trust the kernel's part of a sweep, in words: the regions in which its points lie.</summary>
internal static class SweepBands
{
    /// <summary>Each region of a sweep once, in the order of its points.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<SweepCurve> curves) =>
        [.. curves.SelectMany(static c => c.Results).Select(static r => Words(r.Point)).Distinct()];

    /// <summary>The region of a point, and what measured cells say of it.</summary>
    public static string Words(SweepPoint point)
    {
        var band = ErrorBand.Of(point.Setup);
        var text = $"{SweepWords.Guest(point)}{Readers(band)}, {Region(band)}: {Error(band)}";
        if (band.HasGap)
            text += "; no cell between";
        var single = band.SingleCellsAt.Select(static n => $"at {SweepWords.Vcpus(n)}").ToList();
        if (single.Count > 0)
            text += $"; rests on a single cell {string.Join(" and a single cell ", single)}";
        if (band.Cells > 0 && !band.IsMemoryMeasured)
            text += $"; measured on {(point.IsAnonymous ? "shmem" : "anonymous memory")} alone";
        return text;
    }

    /// <summary>The same as short as a column of a table.</summary>
    public static string Short(SweepPoint point)
    {
        var band = ErrorBand.Of(point.Setup);
        if (band.Cells == 0)
            return "not measured";
        var single = band.SingleCellsAt.Any() ? ", single cell" : "";
        return (band.WorstError is { } error ? $"within {Percent(error)}" : "extrapolated") + single;
    }

    /// <summary>The same for JSON.</summary>
    public static object Json(SweepPoint point)
    {
        var band = ErrorBand.Of(point.Setup);
        return new
        {
            band.FromVcpus,
            band.ToVcpus,
            band.IsExtrapolated,
            band.HasGap,
            band.WorstError,
            band.Cells,
            band.SingleCellsAt,
            band.CellsElsewhere,
            band.IsMemoryMeasured,
            Words = Words(point),
        };
    }

    private static string Readers(ErrorBand band) =>
        band.Readers switch
        {
            ReaderKind.One => " with one reader",
            ReaderKind.Several => " with a reader per vCPU",
            ReaderKind.Own => " with a descriptor per vCPU",
            _ => "",
        };

    private static string Region(ErrorBand band) =>
        band switch
        {
            { Anchors.Count: 0 } => "any number of vCPUs",
            { ToVcpus: null } => $"beyond {SweepWords.Vcpus(band.FromVcpus)}",
            { IsExtrapolated: true } => $"below {SweepWords.Vcpus(band.ToVcpus.Value)}",
            _ => $"{band.FromVcpus}..{SweepWords.Vcpus(band.ToVcpus.Value)}",
        };

    private static string Error(ErrorBand band) =>
        band switch
        {
            { Cells: 0, CellsElsewhere: 0 } => "not measured",
            { Cells: 0 } => "not measured; carried over from the other architecture, "
                + $"where it rests on {Cells(band.CellsElsewhere)}",
            { WorstError: { } error } => $"within {Percent(error)} of measured cells when left out ("
                + $"{string.Join(", ", band.Anchors.Select(static a => $"{Cells(a.Cells)} at {a.Vcpus}"))})",
            _ => "extrapolated",
        };

    private static string Cells(int count) => count == 1 ? "1 cell" : $"{count} cells";

    // Rounded up: an error is never stated as smaller than it was.
    private static string Percent(double error) =>
        Math.Ceiling(Math.Round(error * 100, 6)).ToString("0' %'", CultureInfo.InvariantCulture);
}
