using System.Text.Json;

namespace Userfault.Cli;

/// <summary>What the touchers of one turn saw. The process of the turn writes it as one line of JSON.</summary>
internal sealed record TurnResult
{
    /// <summary>What went wrong; the figures are then those of a part, or 0.</summary>
    public TurnProblem Problem { get; init; }

    /// <summary>The same in words; null where nothing did.</summary>
    public string? Message { get; init; }

    /// <summary>Touches that ended, the first page's not among them.</summary>
    public long Touches { get; init; }

    /// <summary>From the first touch's beginning to the last one's end.</summary>
    public long ElapsedNs { get; init; }

    /// <summary>From the handover of the memory to the first page, which is touched before all others.</summary>
    public long FirstPageNs { get; init; }

    /// <summary>Half of the touches took no longer.</summary>
    public long P50Ns { get; init; }

    /// <summary>99 % took no longer.</summary>
    public long P99Ns { get; init; }

    /// <summary>99.9 % took no longer.</summary>
    public long P999Ns { get; init; }

    /// <summary>The longest touch.</summary>
    public long MaxNs { get; init; }

    /// <summary>Touches of more than a microsecond: those that did not find their page in place.</summary>
    public long Waited { get; init; }

    /// <summary>Share of its run that a toucher waits: the median of all touchers.</summary>
    public double StallMedian { get; init; }

    /// <summary>The same of the toucher that waits most.</summary>
    public double StallWorst { get; init; }

    /// <summary>
    /// Share of all waits in which the page was in place and the toucher waited for a processor; null where the kernel
    /// does not tell.
    /// </summary>
    public double? QueuedShare { get; init; }

    /// <summary>What a touch of a page takes that is in place: half took no longer.</summary>
    public long FloorP50Ns { get; init; }

    /// <summary>99 % took no longer.</summary>
    public long FloorP99Ns { get; init; }

    /// <summary>Pages whose content was compared with the image.</summary>
    public long Checked { get; init; }

    /// <summary>Of these, pages with other content.</summary>
    public long Wrong { get; init; }

    /// <summary>Touches per second.</summary>
    public double PerSecond => ElapsedNs <= 0 ? 0 : Touches * 1e9 / ElapsedNs;

    /// <summary>A turn that failed before there were any figures.</summary>
    public static TurnResult Failed(TurnProblem problem, string message) =>
        new() { Problem = problem, Message = message };

    /// <summary>As a line.</summary>
    public string ToLine() => JsonSerializer.Serialize(this);

    /// <summary>Reads the line; null where it is none.</summary>
    public static TurnResult? TryParse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<TurnResult>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
