namespace Userfault.Simulation;

/// <summary>
/// How often a simulated page source does wrong: probabilities a request, each 0 to 1 and their sum at most 1.
/// </summary>
public sealed record SimSourceFaults
{
    /// <summary>A source that always answers right.</summary>
    public static readonly SimSourceFaults None = new();

    /// <summary>Pages at the answer's end are left out.</summary>
    public double Short { get; init; }

    /// <summary>A page of the answer is another than the one asked for.</summary>
    public double WrongPage { get; init; }

    /// <summary>The answer comes twice.</summary>
    public double Duplicate { get; init; }

    /// <summary>The answer comes <see cref="LateNs"/> later.</summary>
    public double Late { get; init; }

    /// <summary>No answer comes.</summary>
    public double Never { get; init; }

    /// <summary>The request is refused as one whose answer was bad (a checksum that does not fit).</summary>
    public double Refuse { get; init; }

    /// <summary>The connection breaks, with all that is outstanding on it.</summary>
    public double Break { get; init; }

    /// <summary>
    /// Content that is not the page's: what the data plane's checksum keeps from happening. There to show that checkers
    /// would see it.
    /// </summary>
    public double Corrupt { get; init; }

    /// <summary>How much later a late answer comes, in ns.</summary>
    public long LateNs { get; init; } = 2_000_000_000;
}
