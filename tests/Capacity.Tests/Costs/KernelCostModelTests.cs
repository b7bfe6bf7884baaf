using Userfault.Mmu;

namespace Userfault.Capacity.Tests;

public class KernelCostModelTests
{
    // Round numbers, so that every case can be worked out by hand. All work lies at lines: each further vCPU costs the
    // same.
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
        SiblingShare: 0.5,
        ReaderWakeNs: 600,
        WakeLineNs: 50,
        LineShare: 1
    );

    public static TheoryData<PagingMode, bool, int, int, bool, double> Cases() =>
        new()
        {
            // mode, anonymous, vCPUs, readers, a descriptor a vCPU, ns
            { PagingMode.None, false, 1, 1, false, 1000 + 100 },
            { PagingMode.None, true, 1, 1, false, 1400 + 100 },
            // Three others, each keeps the line for twice its time alone.
            { PagingMode.None, false, 4, 1, false, 1000 + 100 + 3 * 2 * 100 },
            { PagingMode.Userfault, false, 4, 1, false, 3000 + 110 + 3 * 2 * 110 },
            { PagingMode.Both, false, 4, 4, false, 3500 + 130 + 3 * 2 * 130 },
            { PagingMode.Both, true, 4, 4, true, 3900 + 130 + 3 * 2 * 130 },
            // fault, wake, the reader's wake, half a pass
            { PagingMode.Userfaultfd, false, 1, 1, true, 1000 + 3000 + 600 + 2000 + 130 },
            // One vCPU is the same with its own descriptor, but for the lines of the address space.
            { PagingMode.Userfaultfd, false, 1, 1, false, 1000 + 3000 + 600 - 2000 + 4000 },
            { PagingMode.Userfaultfd, true, 1, 1, false, 1400 + 3000 + 600 - 2000 + 4000 },
            // Two at one reader, which sleeps in a third of all cases: 2000 of 6000 before the next fault.
            { PagingMode.Userfaultfd, false, 2, 1, false, 2200 + 4000 * (1 + 4000.0 / 6200) },
            // Two readers: half of the pass is under the lock, a quarter is done meanwhile by the other; 200 for the
            // herd.
            { PagingMode.Userfaultfd, false, 2, 2, false, 3600 + 3200 * (1 + 3200.0 / 6800) },
            { PagingMode.Userfaultfd, true, 2, 2, false, 3800 + 3400 * (1 + 3400.0 / 7200) },
            // More readers than vCPUs are no more than those.
            { PagingMode.Userfaultfd, false, 2, 9, false, 3600 + 3200 * (1 + 3200.0 / 6800) },
        };

    [Fact]
    public void A_wakeup_is_longer_with_each_further_vCPU_that_wakes()
    {
        var free = new KernelCosts(0, 0, 0, 0, 0, 0, 3000, 0, 0, 0, 0, 0, 1000, 50, 0);
        Assert.Equal(
            4000 + 7 * 50,
            KernelCostModel.FaultNs(
                free,
                new PagingSetup(Architecture.X86, PagingMode.Userfaultfd, false, 8) { HasDescriptorPerVcpu = true }
            ),
            6
        );
    }

    [Fact]
    public void One_line_shows_nothing_until_it_is_busy_and_a_chain_does_from_the_start()
    {
        // A tenth of the work is a line: eight are too few to fill it, 64 are many times too many.
        var line = Simple with
        {
            LineShare = 0,
            Growth = 0,
        };
        double Ns(KernelCosts costs, int vcpus) =>
            KernelCostModel.FaultNs(costs, new PagingSetup(Architecture.X86, PagingMode.None, false, vcpus));
        Assert.InRange(Ns(line, 8) - Ns(line, 1), 0, 0.4 * 7 * 100);
        Assert.InRange(Ns(line, 64), 6400, 6600);
        Assert.Equal(1100 + 7 * 100, Ns(line with { LineShare = 1 }, 8), 6);
        Assert.Equal(1100 + 63 * 100, Ns(line with { LineShare = 1 }, 64), 6);
    }

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
