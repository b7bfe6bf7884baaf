namespace Userfault.Capacity;

/// <summary>What came out of a point. Durations in ns of virtual time.</summary>
public sealed record SweepResult
{
    /// <summary>The point.</summary>
    public required SweepPoint Point { get; init; }

    /// <summary>Until the last vCPU had touched its last page.</summary>
    public required long CompletionNs { get; init; }

    /// <summary>Until all of guest memory was in place; -1 where nothing pushes it.</summary>
    public required long WholeNs { get; init; }

    /// <summary>First touches of pages by all vCPUs.</summary>
    public required long Touches { get; init; }

    /// <summary>Of these, touches of pages that were not there.</summary>
    public required long Stalls { get; init; }

    /// <summary>Mean wait of a stall, from the touch until the vCPU runs on.</summary>
    public required double StallMeanNs { get; init; }

    /// <summary>Half of all stalls were not longer.</summary>
    public required long StallP50Ns { get; init; }

    /// <summary>99 % of all stalls were not longer.</summary>
    public required long StallP99Ns { get; init; }

    /// <summary>Where a vCPU's time went, a touch.</summary>
    public required SweepTimes Times { get; init; }

    /// <summary>The share of time in which the fetchers served, in the mean.</summary>
    public required double FetcherUse { get; init; }

    /// <summary>The share of time in which the destination's line was busy.</summary>
    public required double NetworkUse { get; init; }

    /// <summary>Events that were played.</summary>
    public required long Events { get; init; }

    /// <summary>New pages a second, all vCPUs together.</summary>
    public double PagesPerSecond => Touches * 1e9 / Math.Max(1, CompletionNs);

    /// <summary>New pages a second of each vCPU.</summary>
    public double PagesPerSecondPerVcpu => PagesPerSecond / Point.Vcpus;

    /// <summary>All stalls of a vCPU together, in ns.</summary>
    public double StallNsPerVcpu => StallMeanNs * Stalls / Point.Vcpus;
}
