namespace Userfault.Capacity;

/// <summary>What limits a guest's vCPUs, in the order of <see cref="SweepTimes"/>.</summary>
public enum Bottleneck
{
    /// <summary>Nothing: the guest is computing.</summary>
    Guest,

    /// <summary>The kernel's own work on a fault.</summary>
    KernelWork,

    /// <summary>Cache lines that all vCPUs write.</summary>
    CacheLines,

    /// <summary>The single userfaultfd that all faults pass through.</summary>
    Descriptor,

    /// <summary>The network's latency: more vCPUs fetch more pages.</summary>
    Latency,

    /// <summary>The fetchers: more of them serve more pages.</summary>
    Fetchers,

    /// <summary>The destination's bandwidth.</summary>
    Bandwidth,
}
