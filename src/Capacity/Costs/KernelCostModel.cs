namespace Userfault.Capacity;

/// <summary>
/// The time of a fault in the kernel, from <see cref="KernelCosts"/>: derived in docs/model.md. Two regimes. If vCPUs
/// resolve their own faults (none, userfault, both), or if each has its own descriptor, they meet only at cache lines
/// that all cores write. If readers serve one descriptor, all faults queue at the lock of its wait queue.
/// </summary>
public static class KernelCostModel
{
    // After the wake, a reader still returns from its ioctl, polls and reads: half a pass, during which the vCPU
    // already runs.
    private const double ReaderTail = 0.5;

    // Of a reader's pass, one half is under the lock of the wait queue, or in its vCPU's way; the other half (the
    // ioctl, the content, a new page) several readers do at the same time.
    private const double LockedShare = 0.5;

    /// <summary>
    /// Mean time from one touch of a missing page by a vCPU to its next, in ns, with the fitted costs of the
    /// architecture.
    /// </summary>
    public static double FaultNs(PagingSetup setup) => FaultNs(KernelCosts.Of(setup.Architecture), setup);

    /// <summary>Mean time from one touch of a missing page by a vCPU to its next, in ns.</summary>
    public static double FaultNs(KernelCosts costs, PagingSetup setup)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(setup.Vcpus, 1);
        return IsQueue(setup)
            ? ClosedQueue.RoundNs(setup.Vcpus, SleepNs(costs, setup), PassNs(costs, setup))
            : MeetNs(costs, setup);
    }

    /// <summary>Pages per second of each vCPU.</summary>
    public static double RatePerVcpu(KernelCosts costs, PagingSetup setup) => 1e9 / FaultNs(costs, setup);

    /// <summary>Do all faults pass through the wait queue of one descriptor?</summary>
    public static bool IsQueue(PagingSetup setup) =>
        setup.Mode == PagingMode.Userfaultfd && !setup.HasDescriptorPerVcpu;

    /// <summary>
    /// The work of a fault for a single vCPU that queues at no descriptor, in ns, without the lines of
    /// <see cref="LineNs"/>.
    /// </summary>
    public static double WorkNs(KernelCosts costs, PagingSetup setup) =>
        Allocation(costs, setup)
        + costs.FaultNs
        + setup.Mode switch
        {
            PagingMode.None => 0,
            PagingMode.Userfault => costs.ExitNs,
            PagingMode.Both => costs.ExitNs + costs.ResolveNs,
            _ => costs.WakeNs + costs.ReaderWakeNs + (1 - ReaderTail) * costs.ReaderNs,
        };

    /// <summary>
    /// The time for which a fault keeps lines to itself that all cores write, in ns, without other vCPUs.
    /// </summary>
    public static double LineNs(KernelCosts costs, PagingSetup setup) =>
        costs.MapLineNs
        + setup.Mode switch
        {
            PagingMode.None => 0,
            PagingMode.Userfault => costs.ExitLineNs,
            // A thread that sleeps in userfaultfd leaves its vCPU like one that exits, and its reader resolves.
            _ => costs.ExitLineNs + costs.ResolveLineNs,
        };

    /// <summary>
    /// One fault at a descriptor that all vCPUs share, in ns: the part that its readers cannot do in parallel.
    /// </summary>
    public static double PassNs(KernelCosts costs, PagingSetup setup)
    {
        var readers = Readers(setup);
        return LockedShare * costs.ReaderNs + Parallel(costs, setup) / readers + costs.HerdNs * (readers - 1);
    }

    /// <summary>
    /// A vCPU's own part of a fault that a reader resolves, in ns: everything except the reader's pass.
    /// </summary>
    public static double SleepNs(KernelCosts costs, PagingSetup setup)
    {
        var readers = Readers(setup);
        var own =
            Math.Max(0, costs.FaultNs + costs.WakeNs - ReaderTail * costs.ReaderNs)
            + Parallel(costs, setup) * (1 - 1.0 / readers);
        // A single reader sleeps only if no other vCPU is waiting for it: otherwise it finds the next fault without
        // having slept. One of several readers has to be woken.
        var pass = PassNs(costs, setup);
        var asleep = readers > 1 || pass <= 0 ? 1 : Math.Pow(own / (own + pass), setup.Vcpus - 1);
        return own + costs.ReaderWakeNs * asleep;
    }

    /// <summary>
    /// The multiple of its time alone for which a contended line is kept with this many vCPUs: 1 for one.
    /// </summary>
    public static double Handover(KernelCosts costs, int vcpus) => Math.Pow(vcpus, costs.Growth);

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

    // vCPUs that meet only at cache lines: a closed queue whose server is kept longer by each further vCPU.
    private static double MeetNs(KernelCosts costs, PagingSetup setup)
    {
        var work = Slowdown(costs, setup) * WorkNs(costs, setup);
        var wakes = setup.Mode == PagingMode.Userfaultfd ? costs.WakeLineNs * (setup.Vcpus - 1) : 0;
        var line = LineNs(costs, setup);
        var elsewhere = ((1 - costs.LineShare) * work) + wakes;
        return elsewhere
            + ClosedQueue.VisitNs(
                elsewhere,
                costs.LineShare * work + line,
                (setup.Vcpus - 1) * line * Handover(costs, setup.Vcpus)
            );
    }

    private static double Parallel(KernelCosts costs, PagingSetup setup) =>
        ((1 - LockedShare) * costs.ReaderNs) + Allocation(costs, setup);

    private static int Readers(PagingSetup setup) => Math.Min(setup.Readers, setup.Vcpus);

    private static double Allocation(KernelCosts costs, PagingSetup setup) => setup.IsAnonymous ? costs.AllocateNs : 0;
}
