namespace Userfault.Capacity;

/// <summary>
/// The time of a fault in the kernel, from <see cref="KernelCosts"/>: derived in docs/model.md. Two regimes. If vCPUs
/// resolve their own faults (none, userfault, both), or if each has its own descriptor, a fault costs its work plus
/// cache lines that all cores write. If readers serve one descriptor, all faults queue at the lock of its wait queue.
/// </summary>
public static class KernelCostModel
{
    // After the wake, a reader still returns from its ioctl, polls and reads: half a pass, during which the vCPU
    // already runs.
    private const double ReaderTail = 0.5;

    // Of the counters that a COPY or CONTINUE writes, one half is the descriptor's (file and context), the other the
    // address space's: the first half is not shared if each vCPU has its own descriptor.
    private const double AddressSpaceShare = 0.5;

    /// <summary>
    /// Mean time from one touch of a missing page by a vCPU to its next, in ns, with the fitted costs of the
    /// architecture.
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

    /// <summary>Pages per second of each vCPU.</summary>
    public static double RatePerVcpu(KernelCosts costs, PagingSetup setup) => 1e9 / FaultNs(costs, setup);

    /// <summary>
    /// The cost of a fault for a single vCPU, in ns: equals <see cref="FaultNs(KernelCosts, PagingSetup)"/> for one
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
    /// The cost that another core adds through cache lines that all cores write, in ns, before it grows with the cores.
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
                // A thread that sleeps in userfaultfd leaves its vCPU like one that exits: the same counters. And the
                // address space is walked three times, not once: to fall asleep, by the reader, and after the wake.
                _ => costs.ExitLineNs + resolve + 2 * AddressSpaceShare * costs.ResolveLineNs,
            };
    }

    /// <summary>
    /// One fault at a descriptor that all vCPUs share, in ns: the part that its readers cannot do in parallel.
    /// </summary>
    public static double PassNs(KernelCosts costs, PagingSetup setup) =>
        Allocation(costs, setup) + costs.ReaderNs + costs.HerdNs * Spread(costs, Math.Min(setup.Readers, setup.Vcpus));

    /// <summary>
    /// A vCPU's own part of a fault that a reader resolves, in ns: everything except the reader's pass.
    /// </summary>
    public static double SleepNs(KernelCosts costs) =>
        Math.Max(0, costs.FaultNs + costs.WakeNs - ReaderTail * costs.ReaderNs);

    /// <summary>The multiple of a contended line's cost paid with this many cores: 0 for one, 1 for two.</summary>
    public static double Spread(KernelCosts costs, int cores) => cores <= 1 ? 0 : Math.Pow(cores - 1, costs.Growth);

    /// <summary>
    /// Factor by which the busy threads slow down when they outnumber the host's cores; 1 if they do not.
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
