namespace Userfault.Capacity;

/// <summary>What a guest's vCPUs wait for; in the order of <see cref="SweepTimes"/>.</summary>
public enum Bottleneck
{
    /// <summary>Nothing: the guest itself computes.</summary>
    Guest,

    /// <summary>The kernel's own work on a fault.</summary>
    KernelWork,

    /// <summary>Cache lines that all vCPUs write.</summary>
    CacheLines,

    /// <summary>The one userfaultfd that all faults pass.</summary>
    Descriptor,

    /// <summary>The network's latency: more vCPUs bring more.</summary>
    Latency,

    /// <summary>The fetchers: more of them bring more.</summary>
    Fetchers,

    /// <summary>The destination's bandwidth.</summary>
    Bandwidth,
}
