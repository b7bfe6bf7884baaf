using System.Globalization;

namespace Userfault.Simulation;

/// <summary>One fault of a plan. As text: <c>at 120000ns source-lost 1 for 300000ns</c>.</summary>
/// <param name="AtNs">When it starts, in ns from the start of the run.</param>
/// <param name="Type">The type.</param>
/// <param name="Target">The number of the source, fetcher, slot or vCPU concerned, modulo their count.</param>
/// <param name="ForNs">When it ends, in ns from its start.</param>
public sealed record PlannedFault(long AtNs, FaultType Type, int Target, long ForNs)
{
    /// <summary>When it ends, in ns from the start of the run.</summary>
    public long EndNs => AtNs + ForNs;

    /// <summary>The text.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"at {AtNs}ns {PlanNames.Of(Type)} {Target} for {ForNs}ns");

    /// <summary>Reads the text.</summary>
    /// <exception cref="FormatException">The text is not a fault.</exception>
    public static PlannedFault Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (
            words is not ["at", var at, var type, var target, "for", var length]
            || !int.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        )
        {
            throw new FormatException($"'{text}' is no fault; one looks like 'at 120000ns source-lost 1 for 300000ns'");
        }

        return new PlannedFault(Ns(at), PlanNames.Parse<FaultType>(type), number, Ns(length));
    }

    private static long Ns(string text) =>
        text.EndsWith("ns", StringComparison.Ordinal)
        && long.TryParse(text.AsSpan(0, text.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var ns)
        && ns <= 3_600_000_000_000
            ? ns
            : throw new FormatException($"'{text}' is no time in ns of at most an hour");
}
