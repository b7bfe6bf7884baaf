namespace Userfault.Capacity;

/// <summary>What a fault costs a vCPU while a certain number of vCPUs is in the kernel, in ns.</summary>
/// <param name="WorkNs">Its own work, slowed down where threads share cores.</param>
/// <param name="LineNs">Lines that other vCPUs write as well: their time, and the wait for them.</param>
internal readonly record struct SweepCost(double WorkNs, double LineNs)
{
    /// <summary>The costs with 0, 1, ... vCPUs, up to all of a setup that queues at no descriptor.</summary>
    public static SweepCost[] ByVcpus(KernelCosts costs, PagingSetup setup) =>
        Each(
            setup,
            n =>
            {
                var workNs = KernelCostModel.Slowdown(costs, n) * KernelCostModel.WorkNs(costs, n);
                return new SweepCost(workNs, KernelCostModel.FaultNs(costs, n) - workNs);
            }
        );

    /// <summary>
    /// The same for a setup whose vCPUs queue at one descriptor: their part outside of the queue, which depends on all
    /// vCPUs and not on those that are in the kernel.
    /// </summary>
    public static SweepCost[] OfSleep(KernelCosts costs, PagingSetup setup)
    {
        var sleepNs = KernelCostModel.SleepNs(costs, setup);
        return Each(setup, n => new SweepCost(KernelCostModel.Slowdown(costs, n) * sleepNs, 0));
    }

    private static SweepCost[] Each(PagingSetup setup, Func<PagingSetup, SweepCost> cost) =>
        [default, .. Enumerable.Range(1, setup.Vcpus).Select(n => cost(setup with { Vcpus = n }))];
}
