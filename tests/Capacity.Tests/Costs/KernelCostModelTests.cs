using Userfault.Mmu;

namespace Userfault.Capacity.Tests;

public class KernelCostModelTests
{
    // Round numbers, so that every case can be worked out by hand.
    private static readonly KernelCosts Simple = new(
        FaultNs: 1000,
        MapLineNs: 100,
        ExitNs: 2000,
        ExitLineNs: 10,
        ResolveLineNs: 20,
        ReaderNs: 4000,
        WakeNs: 3000,
        HerdNs: 200,
        Growth: 0.5,
        AllocateNs: 400,
        ResolveNs: 500,
        SiblingShare: 0.5
    );

    public static TheoryData<PagingMode, bool, int, int, bool, double> Cases() =>
        new()
        {
            // mode, anonymous, vCPUs, readers, a descriptor a vCPU, ns
            { PagingMode.None, false, 1, 1, false, 1000 },
            { PagingMode.None, true, 1, 1, false, 1400 },
            { PagingMode.None, false, 5, 1, false, 1000 + 2 * 100 },
            { PagingMode.Userfault, false, 5, 1, false, 3000 + 2 * 110 },
            { PagingMode.Both, false, 5, 5, false, 3500 + 2 * 130 },
            { PagingMode.Both, true, 5, 5, true, 3900 + 2 * 120 },
            { PagingMode.Userfaultfd, false, 1, 1, false, 1000 + 3000 - 2000 + 4000 },
            { PagingMode.Userfaultfd, false, 1, 1, true, 1000 + 3000 + 2000 },
            { PagingMode.Userfaultfd, true, 5, 1, true, 6400 + 2 * 140 },
            // Two at one reader: 2000 + 4000 (1 + 4000 / 6000). Two readers: a pass of 4200.
            { PagingMode.Userfaultfd, false, 2, 1, false, 2000 + 4000 * (1 + 4000.0 / 6000) },
            { PagingMode.Userfaultfd, false, 2, 2, false, 2000 + 4200 * (1 + 4200.0 / 6200) },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_fault_costs_what_its_parts_cost(
        PagingMode mode,
        bool isAnonymous,
        int vcpus,
        int readers,
        bool hasDescriptorPerVcpu,
        double expectedNs
    )
    {
        var setup = new PagingSetup(Architecture.X86, mode, isAnonymous, vcpus)
        {
            Readers = readers,
            HasDescriptorPerVcpu = hasDescriptorPerVcpu,
        };
        Assert.Equal(expectedNs, KernelCostModel.FaultNs(Simple, setup), 6);
    }

    [Theory]
    [InlineData(48, 2, 1.0)] // a core each
    [InlineData(64, 2, 1.25)] // 16 cores carry two: half of all threads are half again as slow
    [InlineData(96, 2, 1.5)]
    [InlineData(192, 2, 3.0)]
    [InlineData(96, 1, 1.0)]
    [InlineData(192, 1, 2.0)]
    public void Threads_beyond_the_cores_slow_each_other(int vcpus, int threadsPerCore, double expected) =>
        Assert.Equal(
            expected,
            KernelCostModel.Slowdown(
                Simple,
                new PagingSetup(Architecture.X86, PagingMode.None, false, vcpus)
                {
                    HostProcessors = 96,
                    ThreadsPerCore = threadsPerCore,
                }
            ),
            9
        );

    [Fact]
    public void More_vCPUs_are_never_faster_each()
    {
        foreach (var setup in EverySetup())
        {
            var last = double.PositiveInfinity;
            for (var vcpus = 1; vcpus <= 512; vcpus++)
            {
                var asked = setup with { Vcpus = vcpus, Readers = setup.Readers == 0 ? vcpus : setup.Readers };
                var rate = KernelCostModel.RatePerVcpu(KernelCosts.Of(setup.Architecture), asked);
                Assert.True(rate <= last && rate > 10, $"{asked}: {rate} after {last}");
                last = rate;
            }
        }
    }

    [Fact]
    public void Modes_stand_in_their_order_from_two_vCPUs_on()
    {
        foreach (var architecture in Enum.GetValues<Architecture>())
        {
            foreach (var vcpus in new[] { 2, 8, 64, 416 })
            {
                double Rate(PagingMode mode) =>
                    1e9
                    / KernelCostModel.FaultNs(new PagingSetup(architecture, mode, false, vcpus) { Readers = vcpus });
                Assert.True(Rate(PagingMode.None) > Rate(PagingMode.Userfault));
                Assert.True(Rate(PagingMode.Userfault) > Rate(PagingMode.Both));
                Assert.True(Rate(PagingMode.Both) > Rate(PagingMode.Userfaultfd));
            }
        }
    }

    private static IEnumerable<PagingSetup> EverySetup() =>
        from architecture in Enum.GetValues<Architecture>()
        from mode in Enum.GetValues<PagingMode>()
        from isAnonymous in new[] { false, true }
        from hasDescriptorPerVcpu in new[] { false, true }
        from readers in new[] { 0, 1, 4 }
        from processors in new[] { 0, 96 }
        select new PagingSetup(architecture, mode, isAnonymous, 1)
        {
            Readers = readers,
            HasDescriptorPerVcpu = hasDescriptorPerVcpu,
            HostProcessors = processors,
            ThreadsPerCore = architecture == Architecture.X86 ? 2 : 1,
        };
}
