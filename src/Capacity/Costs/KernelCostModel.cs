namespace Userfault.Capacity;

/// <summary>
/// How long a fault takes in the kernel, from <see cref="KernelCosts"/>: derived in docs/model.md. Two regimes. Where
/// vCPUs resolve their own faults (none, userfault, both) and where each has a descriptor of its own, a fault costs its
/// work plus cache lines that all cores write. Where readers serve one descriptor, all faults queue at its wait queue's
/// lock.
/// </summary>
public static class KernelCostModel
{
    // Behind the wake a reader still returns from its ioctl, polls and reads: half a pass in which the vCPU runs
    // already.
    private const double ReaderTail = 0.5;

    // Of the counts that a COPY or CONTINUE writes, one half is the descriptor's (file and context), the other the
    // address space's: the first half is not shared where each vCPU has its own.
    private const double AddressSpaceShare = 0.5;

    /// <summary>
    /// Mean time from one touch of a missing page by a vCPU to its next, in ns; with an architecture's fitted costs.
    /// </summary>
    public static double FaultNs(PagingSetup setup) => FaultNs(KernelCosts.Of(setup.Architecture), setup);

    /// <summary>Mean time from one touch of a missing page by a vCPU to its next, in ns.</summary>
    public static double FaultNs(KernelCosts costs, PagingSetup setup)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(setup.Vcpus, 1);
        var readsOneDescriptor = setup.Mode == PagingMode.Userfaultfd && !setup.HasDescriptorPerVcpu;
        return readsOneDescriptor
            ? ClosedQueue.RoundNs(setup.Vcpus, SleepNs(costs), PassNs(costs, setup))
            : Slowdown(costs, setup) * WorkNs(costs, setup) + LineNs(costs, setup) * Spread(costs, setup.Vcpus);
    }

    /// <summary>Pages a second of each vCPU.</summary>
    public static double RatePerVcpu(KernelCosts costs, PagingSetup setup) => 1e9 / FaultNs(costs, setup);

    /// <summary>
    /// What a fault costs a vCPU that is alone, in ns: what <see cref="FaultNs(KernelCosts, PagingSetup)"/> is for one
    /// vCPU.
    /// </summary>
    public static double WorkNs(KernelCosts costs, PagingSetup setup) =>
        Allocation(costs, setup)
        + costs.FaultNs
        + setup.Mode switch
        {
            PagingMode.None => 0,
            PagingMode.Userfault => costs.ExitNs,
            PagingMode.Both => costs.ExitNs + costs.ResolveNs,
            _ => costs.WakeNs + (1 - ReaderTail) * costs.ReaderNs,
        };

    /// <summary>
    /// What another core adds through cache lines that all write, in ns, before it grows with the cores.
    /// </summary>
    public static double LineNs(KernelCosts costs, PagingSetup setup)
    {
        var resolve = costs.ResolveLineNs * (setup.HasDescriptorPerVcpu ? AddressSpaceShare : 1);
        return costs.MapLineNs
            + setup.Mode switch
            {
                PagingMode.None => 0,
                PagingMode.Userfault => costs.ExitLineNs,
                PagingMode.Both => costs.ExitLineNs + resolve,
                // A thread that sleeps in userfaultfd leaves its vCPU as one that exits does: the same counts. And the
                // address space is walked three times, not once: to fall asleep, by the reader, and behind the wake.
                _ => costs.ExitLineNs + resolve + 2 * AddressSpaceShare * costs.ResolveLineNs,
            };
    }

    /// <summary>
    /// One fault at a descriptor that all vCPUs share, in ns: what its readers cannot do side by side.
    /// </summary>
    public static double PassNs(KernelCosts costs, PagingSetup setup) =>
        Allocation(costs, setup) + costs.ReaderNs + costs.HerdNs * Spread(costs, Math.Min(setup.Readers, setup.Vcpus));

    /// <summary>A vCPU's own part of a fault that a reader resolves, in ns: all but the reader's pass.</summary>
    public static double SleepNs(KernelCosts costs) =>
        Math.Max(0, costs.FaultNs + costs.WakeNs - ReaderTail * costs.ReaderNs);

    /// <summary>How often the cost of a contended line is paid with so many cores: 0 alone, 1 with two.</summary>
    public static double Spread(KernelCosts costs, int cores) => cores <= 1 ? 0 : Math.Pow(cores - 1, costs.Growth);

    /// <summary>
    /// How much longer the busy threads take where they outnumber the host's cores; 1 where they do not.
    /// </summary>
    public static double Slowdown(KernelCosts costs, PagingSetup setup)
    {
        if (setup.HostProcessors == 0)
            return 1;
        double cores = Math.Max(1, setup.HostProcessors / setup.ThreadsPerCore),
            threads = setup.Vcpus;
        if (threads <= cores)
            return 1;
        if (setup.ThreadsPerCore == 1)
            return threads / cores;
        var together = Math.Min(1, 2 * (threads - cores) / threads);
        return (1 + costs.SiblingShare * together) * Math.Max(1, threads / setup.HostProcessors);
    }

    private static double Allocation(KernelCosts costs, PagingSetup setup) => setup.IsAnonymous ? costs.AllocateNs : 0;
}
