using Akka.Actor;
using Akka.TestKit;
using Userfault.Mmu;
using Userfault.Pages;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests.Vms;

/// <summary>KVM's calls as messages, and the rows of the fault path and of the toggles as actors live them.</summary>
public sealed class VmActorSpec(ITestOutputHelper output) : Spec(output)
{
    private const ulong Pages = 1024;
    private const Access R = Access.Read;
    private const Access W = Access.Write;

    [Theory]
    [InlineData(Architecture.X86, 243U, 1)]
    [InlineData(Architecture.Arm64, 243U, 1)]
    [InlineData(Architecture.X86, VmCapability.MultiAddressSpace, 2)]
    [InlineData(Architecture.X86, VmCapability.MemoryFaultInfo, 1)]
    [InlineData(Architecture.X86, VmCapability.AsyncPf, 0)]
    public void Check_extension(Architecture architecture, uint capability, int value)
    {
        using var vm = new VmRig(this, architecture);
        vm.Vm.Tell(new VmProtocol.CheckExtension(capability), TestActor);
        Assert.Equal(new VmProtocol.Answer(Errno.None, value), ExpectMsg<VmProtocol.Answer>());
    }

    [Fact]
    public void Calls_are_checked_and_a_wrong_one_changes_nothing()
    {
        using var vm = new VmRig(this);
        Assert.Equal(Errno.EINVAL, vm.Set(0, flags: (MemslotFlags)(1 << 9)));
        Assert.Equal(Errno.EINVAL, vm.Set(0, pages: 0));
        Assert.Equal(Errno.None, vm.Set(0, flags: MemslotFlags.Userfault));
        Assert.Equal(Errno.None, vm.Set(0, flags: MemslotFlags.Userfault));
        Assert.Equal(Errno.EINVAL, vm.Set(0, flags: MemslotFlags.Readonly));
        Assert.Equal(Errno.EINVAL, vm.Set(0, pages: Pages / 2));
        Assert.Equal(Errno.None, vm.Set(0, pages: 0));
        Assert.Equal(Errno.EINVAL, vm.Set(0, pages: 0));
        Assert.Equal(Errno.None, vm.Set(0));
    }

    [Fact]
    public void Dirty_log_calls()
    {
        using var vm = new VmRig(this, Architecture.X86, [(3, W), (70, W)], [(4, W)]);
        Assert.Equal(Errno.ENOENT, vm.GetDirtyLog(SlotId.Of(0, 0)).Errno);
        Assert.Equal(Errno.EINVAL, vm.GetDirtyLog(SlotId.Of(7, 0)).Errno);
        vm.Set(0);
        Assert.Equal(Errno.ENOENT, vm.GetDirtyLog(SlotId.Of(0, 0)).Errno);
        vm.Set(0, flags: MemslotFlags.LogDirtyPages);
        vm.RunToTheEnd();
        var log = vm.GetDirtyLog(SlotId.Of(0, 0));
        Assert.Equal((Errno.None, 1UL << 3 | 1UL << 4, 1UL << 6), (log.Errno, log.Words[0], log.Words[1]));
        Assert.All(vm.GetDirtyLog(SlotId.Of(0, 0)).Words, word => Assert.Equal(0UL, word));
    }

    [Fact]
    public void Pre_fault_memory()
    {
        using var vm = new VmRig(this);
        Assert.Equal(new MemslotProtocol.PreFaulted(Errno.ENOENT, 0), vm.PreFault(0, 8));
        vm.Set(0);
        Assert.Equal(new MemslotProtocol.PreFaulted(Errno.EINVAL, 0), vm.PreFault(0, 0));
        Assert.Equal(new MemslotProtocol.PreFaulted(Errno.None, 8), vm.PreFault(0, 8));
        Assert.Equal(8, vm.Slot().Counters.Leaves4K);
        using var arm = new VmRig(this, Architecture.Arm64);
        Assert.Equal(Errno.EINVAL, arm.PreFault(0, 8).Errno);
    }

    [Fact]
    public void Memory_attributes_take_mappings_away_and_a_shared_access_fails_its_vcpu()
    {
        using var vm = new VmRig(this, Architecture.X86, [(3, R)]);
        vm.Set(0);
        vm.PreFault(0, 8);
        Assert.Equal(Errno.EINVAL, vm.SetAttributes(0, 0));
        Assert.Equal(Errno.None, vm.SetAttributes(2, 4));
        Assert.Equal(4, vm.Slot().Counters.Leaves4K);
        vm.Vm.Tell(VmProtocol.StartVcpus.Instance);
        Assert.Equal(
            new VmProtocol.VcpuFailed(0, new Gfn(3), FaultKind.MemoryFaultExit),
            vm.Listener.ExpectMsg<VmProtocol.VcpuFailed>()
        );
        using var arm = new VmRig(this, Architecture.Arm64);
        Assert.Equal(Errno.EINVAL, arm.SetAttributes(0, 8));
    }

    public static TheoryData<string, Architecture, int, Access, string> Rows() =>
        new()
        {
            // what is there, architecture, page, access, and how the fault path ends it
            { "present", Architecture.X86, 1, R, "Mapped" },
            { "present", Architecture.Arm64, 1, W, "Mapped" },
            { "no slot", Architecture.X86, 5000, R, "mmio" },
            { "no slot", Architecture.Arm64, 5000, Access.Execute, "mmio" },
            { "readonly", Architecture.X86, 1, W, "Mmio" },
            { "readonly", Architecture.Arm64, 1, W, "Mmio" },
            { "readonly", Architecture.X86, 1, R, "Mapped" },
            { "readonly and missing", Architecture.X86, 1, W, "MemoryFaultExit" },
            { "readonly and missing", Architecture.Arm64, 1, W, "Mmio" },
            { "missing", Architecture.X86, 1, R, "MemoryFaultExit" },
            { "missing", Architecture.Arm64, 1, Access.Execute, "MemoryFaultExit" },
            { "bit clear", Architecture.X86, 1, R, "Mapped" },
            { "bitmap unreadable", Architecture.X86, 1, R, "BareEfault" },
            { "bitmap unreadable", Architecture.Arm64, 1, R, "BareEfault" },
        };

    [Theory]
    [MemberData(nameof(Rows))]
    public void An_access_ends_as_the_fault_path_says(
        string what,
        Architecture architecture,
        int page,
        Access kind,
        string expected
    )
    {
        using var vm = new VmRig(this, architecture, [((ulong)page, kind)]);
        var flags = what.StartsWith("readonly", StringComparison.Ordinal) ? MemslotFlags.Readonly : MemslotFlags.None;
        if (what is not ("present" or "no slot" or "readonly"))
            flags |= MemslotFlags.Userfault;
        vm.Set(
            0,
            flags: flags,
            missing: what.Contains("missing", StringComparison.Ordinal),
            bitmapAt: what == "bitmap unreadable" ? 0x7000_0000UL : null
        );
        vm.Vm.Tell(VmProtocol.StartVcpus.Instance);
        switch (expected)
        {
            case "BareEfault":
                Assert.Equal(FaultKind.BareEfault, vm.Listener.ExpectMsg<VmProtocol.VcpuFailed>().Why);
                break;
            case "MemoryFaultExit":
                var fetch = vm.Fetchers.FishForMessage<FetcherProtocol.FetchPages>(_ => true);
                Assert.Equal(new MemoryPageRange(new MemoryPage((ulong)page), 1), fetch.Ranges.Single());
                Assert.Equal(1, vm.Slot().Counters.UserfaultExits);
                break;
            default:
                vm.Listener.ExpectMsg<VmProtocol.VcpuFinished>();
                break;
        }

        if (expected == "mmio")
            Assert.Empty(vm.Slot().Counters.Outcomes);
        else
            Assert.Equal(1, vm.Slot().Counters.Outcomes[expected]);
    }

    [Theory]
    [InlineData(Architecture.X86, true)]
    [InlineData(Architecture.Arm64, false)]
    public void Userfault_on_zaps_and_off_recovers_where_the_architecture_does(Architecture architecture, bool recovers)
    {
        using var vm = new VmRig(this, architecture, [.. Enumerable.Range(0, (int)Pages).Select(p => ((ulong)p, R))]);
        vm.Set(0, flags: MemslotFlags.Userfault);
        vm.Set(1, at: 0x10_000);
        vm.RunToTheEnd();
        Assert.Equal(((long)Pages, 0L), (vm.Slot().Counters.Leaves4K, vm.Slot().Counters.Leaves2M));

        vm.Set(0);
        Assert.Equal(recovers ? (0L, 2L) : (1024L, 0L), (vm.Slot().Counters.Leaves4K, vm.Slot().Counters.Leaves2M));
        vm.Set(0, flags: MemslotFlags.Userfault);
        Assert.Equal((0L, 0L), (vm.Slot().Counters.Leaves4K, vm.Slot().Counters.Leaves2M));
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void Userfault_toggles_back_and_forth_while_vcpus_run_and_no_access_goes_wrong(Architecture architecture)
    {
        var random = new Random(3);
        (ulong, Access)[][] streams =
        [
            .. Enumerable
                .Range(0, 4)
                .Select(_ =>
                    Enumerable
                        .Range(0, 60_000)
                        .Select(i => ((ulong)random.Next((int)Pages), i % 3 == 0 ? W : R))
                        .ToArray()
                ),
        ];
        using var vm = new VmRig(this, architecture, streams);
        vm.PlaceAll();
        vm.Set(0, flags: MemslotFlags.Userfault);
        vm.Vm.Tell(VmProtocol.StartVcpus.Instance);
        // Until every vCPU has come to its end, so that all of it is under load, however fast the machine.
        var (finished, rounds) = (0, 0);
        for (; finished < streams.Length; rounds++)
        {
            while (vm.Listener.HasMessages)
                finished += vm.Listener.ExpectMsg<object>() is VmProtocol.VcpuFinished ? 1 : 0;
            Assert.Equal(Errno.None, vm.Set(0));
            Assert.Equal(Errno.None, vm.Set(0, flags: MemslotFlags.Userfault));
            // While it is on, nothing larger than a page is mapped, whatever the vCPUs did meanwhile.
            Assert.Equal(0, vm.Slot().Counters.Leaves2M);
        }

        Assert.True(rounds > 1, $"{rounds} rounds");
        foreach (var report in vm.Vcpus())
            Assert.Equal((60_000L, 0L, 0L), (report.Accesses, report.WrongReads, report.Mmio));
        Assert.Equal(new VerifyResult(Pages, 0, 0, null), vm.Verify());
        Assert.Equal(0, vm.Slot().Counters.UserfaultExits);
    }

    [Fact]
    public void While_a_slot_logs_nothing_is_recovered()
    {
        using var vm = new VmRig(
            this,
            Architecture.X86,
            [.. Enumerable.Range(0, (int)Pages).Select(p => ((ulong)p, R))]
        );
        vm.Set(0, flags: MemslotFlags.Userfault | MemslotFlags.LogDirtyPages);
        vm.RunToTheEnd();
        vm.Set(0, flags: MemslotFlags.LogDirtyPages);
        Assert.Equal(1024, vm.Slot().Counters.Leaves4K);
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("move")]
    public void A_slot_that_goes_away_lets_its_waiters_go(string how)
    {
        using var vm = new VmRig(this, Architecture.X86, [(1, R)], [(2, W)]);
        vm.Set(0, flags: MemslotFlags.Userfault, missing: true);
        vm.Vm.Tell(VmProtocol.StartVcpus.Instance);
        var asked = 0UL;
        while (asked < 2)
        {
            asked += vm
                .Fetchers.FishForMessage<FetcherProtocol.FetchPages>(_ => true)
                .Ranges.Aggregate(0UL, (sum, r) => sum + r.Count);
        }

        Assert.Equal(
            Errno.None,
            how == "delete" ? vm.Set(0, pages: 0) : vm.Set(0, at: 0x10_000, flags: MemslotFlags.Userfault)
        );
        // Their pages are gone from where they were: a device answers, and the streams end.
        vm.Listener.FishForMessage<VmProtocol.VcpuFinished>(_ => true);
        vm.Listener.FishForMessage<VmProtocol.VcpuFinished>(_ => true);
        foreach (var report in vm.Vcpus())
            Assert.Equal((0L, 1L), (report.Accesses, report.Mmio));
    }

    // A VM with probes for the fetcher pool and the listener, and one slot or more over the same guest memory.
    private sealed class VmRig : IDisposable
    {
        private readonly VmActorSpec _spec;
        private readonly Guest _guest;
        private readonly Dictionary<int, UserfaultBitmap> _bitmaps = [];

        public VmRig(
            VmActorSpec spec,
            Architecture architecture = Architecture.X86,
            params (ulong Page, Access Kind)[][] streams
        )
        {
            _spec = spec;
            _guest = new Guest(Pages, workload: new ScriptedWorkload(Pages, streams));
            (Fetchers, Listener) = (spec.CreateTestProbe(), spec.CreateTestProbe());
            Vm = spec.Sys.ActorOf(
                VmActor.Props(
                    new VmSettings
                    {
                        Policy = architecture == Architecture.X86 ? MmuPolicy.X86 : MmuPolicy.Arm64,
                        Content = _guest.Content,
                        Workload = _guest.Workload,
                        Time = new SchedulerTime(spec.Sys.Scheduler),
                        Memslot = new MemslotSettings { WorkBudget = 64 },
                    },
                    Fetchers,
                    Listener
                )
            );
        }

        public TestProbe Fetchers { get; }

        public TestProbe Listener { get; }

        public IActorRef Vm { get; }

        public Errno Set(
            int slot,
            ulong pages = Pages,
            ulong at = 0,
            MemslotFlags flags = MemslotFlags.None,
            bool missing = false,
            ulong? bitmapAt = null
        )
        {
            if (!_bitmaps.TryGetValue(slot, out var bitmap))
            {
                bitmap = UserfaultBitmap.Allocate(Pages);
                if (missing)
                    bitmap.SetAll();
            }

            Vm.Tell(
                new VmProtocol.SetUserMemoryRegion2(
                    new UserspaceMemoryRegion2
                    {
                        Slot = (uint)slot,
                        Flags = (uint)flags,
                        GuestPhysicalAddress = at << Page.Shift,
                        MemorySize = pages << Page.Shift,
                        UserspaceAddress = _guest.Memory.Base.Value,
                        UserfaultBitmap =
                            (flags & MemslotFlags.Userfault) == 0 ? 0 : bitmapAt ?? HostMapping.AddressOf(bitmap).Value,
                    },
                    bitmap
                ),
                _spec.TestActor
            );
            var errno = _spec.ExpectMsg<VmProtocol.Answer>().Errno;
            // The VM owns a bitmap from a CREATE that succeeds on, and frees it when it stops.
            if (errno != Errno.None || pages == 0)
                _bitmaps.Remove(slot);
            else
                _bitmaps[slot] = bitmap;
            return errno;
        }

        /// <summary>The guest's memory is here already, as after a migration.</summary>
        public unsafe void PlaceAll()
        {
            var scratch = stackalloc byte[Page.Size];
            for (ulong i = 0; i < Pages; i++)
            {
                var bytes = _guest.Image.Read(new MemoryPage(i), scratch);
                _guest.Memory.Place(
                    bytes == null ? PageContent.Zero(new MemoryPage(i)) : PageContent.Of(new MemoryPage(i), bytes)
                );
            }
        }

        public VerifyResult Verify()
        {
            using var verifier = _guest.Content.NewVerifier();
            return verifier.Verify(new MemoryPageRange(new MemoryPage(0), Pages));
        }

        public Errno SetAttributes(ulong start, ulong count)
        {
            Vm.Tell(new VmProtocol.SetMemoryAttributes(new GfnRange(new Gfn(start), count), true), _spec.TestActor);
            return _spec.ExpectMsg<VmProtocol.Answer>().Errno;
        }

        public MemslotProtocol.DirtyLog GetDirtyLog(SlotId slot)
        {
            Vm.Tell(new VmProtocol.GetDirtyLog(slot), _spec.TestActor);
            return _spec.ExpectMsg<MemslotProtocol.DirtyLog>();
        }

        public MemslotProtocol.PreFaulted PreFault(ulong start, ulong count)
        {
            Vm.Tell(new VmProtocol.PreFault(new GfnRange(new Gfn(start), count)), _spec.TestActor);
            return _spec.ExpectMsg<MemslotProtocol.PreFaulted>();
        }

        public void RunToTheEnd()
        {
            Vm.Tell(VmProtocol.StartVcpus.Instance);
            for (var i = 0; i < _guest.Workload.Vcpus; i++)
                Listener.FishForMessage<VmProtocol.VcpuFinished>(_ => true);
        }

        public SlotReport Slot() => Reports().Slots[0];

        public IReadOnlyList<VcpuReport> Vcpus() => Reports().Vcpus;

        public void Dispose()
        {
            _spec.Watch(Vm);
            _spec.Sys.Stop(Vm);
            _spec.ExpectTerminated(Vm);
            _guest.Dispose();
        }

        private ReportCollector Reports()
        {
            var probe = _spec.CreateTestProbe();
            Vm.Tell(VmProtocol.GetReports.Instance, probe);
            var reports = new ReportCollector();
            // No fetchers are asked here.
            reports.Take(new FetcherPoolProtocol.ReportsComing(0));
            while (!reports.IsComplete)
                Assert.True(reports.Take(probe.ExpectMsg<object>()));
            return reports;
        }
    }
}
