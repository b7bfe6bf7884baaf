using System.Globalization;

namespace Userfault.Bench.Uffd;

/// <summary>What a round of touches came to. Latencies in us, of every touch, the one that faults or not.</summary>
internal sealed record TouchResult(
    long Touches,
    double Seconds,
    double P50Us,
    double P99Us,
    double P999Us,
    double MaxUs
)
{
    public double PerSecond => Touches / Seconds;

    /// <summary>Processor time of the handler's process per touch, in us; negative where it is not known.</summary>
    public double HandlerUs { get; init; } = -1;

    /// <summary>The same of the page server; none without one.</summary>
    public double ServerUs { get; init; }

    /// <summary>The toucher's one line.</summary>
    public static TouchResult Parse(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var numbers = words.Select(w => double.Parse(w, CultureInfo.InvariantCulture)).ToArray();
        if (numbers is not [var touches, var seconds, var p50, var p99, var p999, var max, 0])
            throw new InvalidOperationException($"the toucher found wrong pages, or said something else: {line}");
        return new TouchResult((long)touches, seconds, p50, p99, p999, max);
    }
}
