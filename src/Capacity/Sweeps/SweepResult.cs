namespace Userfault.Capacity;

/// <summary>The result of a point. Durations in ns of virtual time.</summary>
public sealed record SweepResult
{
    /// <summary>The point.</summary>
    public required SweepPoint Point { get; init; }

    /// <summary>Until the last vCPU had touched its last page.</summary>
    public required long CompletionNs { get; init; }

    /// <summary>Until all of guest memory was in place; -1 if it is not pushed.</summary>
    public required long WholeNs { get; init; }

    /// <summary>First touches of pages by all vCPUs.</summary>
    public required long Touches { get; init; }

    /// <summary>Of these, touches of pages that were not in place.</summary>
    public required long Stalls { get; init; }

    /// <summary>Mean length of a stall, from the touch until the vCPU continues.</summary>
    public required double StallMeanNs { get; init; }

    /// <summary>Median length of a stall.</summary>
    public required long StallP50Ns { get; init; }

    /// <summary>99th percentile of the length of a stall.</summary>
    public required long StallP99Ns { get; init; }

    /// <summary>Where a vCPU's time went, per touch.</summary>
    public required SweepTimes Times { get; init; }

    /// <summary>The mean share of time in which the fetchers were busy.</summary>
    public required double FetcherUse { get; init; }

    /// <summary>The share of time in which the destination's line was busy.</summary>
    public required double NetworkUse { get; init; }

    /// <summary>Number of events processed.</summary>
    public required long Events { get; init; }

    /// <summary>New pages per second of all vCPUs together.</summary>
    public double PagesPerSecond => Touches * 1e9 / Math.Max(1, CompletionNs);

    /// <summary>New pages per second of each vCPU.</summary>
    public double PagesPerSecondPerVcpu => PagesPerSecond / Point.Vcpus;

    /// <summary>Total length of a vCPU's stalls, in ns.</summary>
    public double StallNsPerVcpu => StallMeanNs * Stalls / Point.Vcpus;
}
