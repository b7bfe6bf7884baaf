namespace Userfault.Simulation;

/// <summary>
/// The faults of a simulated page source: probabilities per request, each 0 to 1, with a sum of at most 1.
/// </summary>
public sealed record SimSourceFaults
{
    /// <summary>A source that always answers correctly.</summary>
    public static readonly SimSourceFaults None = new();

    /// <summary>Pages at the end of the answer are missing.</summary>
    public double Short { get; init; }

    /// <summary>One page of the answer is not the requested one.</summary>
    public double WrongPage { get; init; }

    /// <summary>The answer arrives twice.</summary>
    public double Duplicate { get; init; }

    /// <summary>The answer arrives <see cref="LateNs"/> later.</summary>
    public double Late { get; init; }

    /// <summary>No answer arrives.</summary>
    public double Never { get; init; }

    /// <summary>The request fails as if its answer were corrupt (a wrong checksum).</summary>
    public double Refuse { get; init; }

    /// <summary>The connection breaks, with all outstanding requests.</summary>
    public double Break { get; init; }

    /// <summary>
    /// Content that is not the page's, which the data plane's checksum normally prevents. It exists to show that
    /// checkers would detect it.
    /// </summary>
    public double Corrupt { get; init; }

    /// <summary>Additional latency of a late answer, in ns.</summary>
    public long LateNs { get; init; } = 2_000_000_000;
}
