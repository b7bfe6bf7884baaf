using Akka.Actor;
using Akka.TestKit;
using Userfault.Mmu;
using Userfault.Pages;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests.Memslots;

/// <summary>A memslot between probes that stand for its vCPUs, the fetcher pool, the VM and the listener.</summary>
public sealed class MemslotActorSpec(ITestOutputHelper output) : Spec(output)
{
    [Fact]
    public void Two_vcpus_on_one_page_cost_one_fetch_and_both_resume()
    {
        using var slot = new SlotRig(this);
        slot.Fault(0, 5);
        slot.Fault(1, 5);
        slot.Fault(2, 6);
        var pages = new List<ulong>();
        while (pages.Count < 2)
            pages.AddRange(slot.ExpectFetch(FetchPriority.Demand));
        Assert.Equal([5UL, 6UL], pages);

        slot.Arrive(5, 6);
        foreach (var vcpu in (int[])[0, 1, 2])
            slot.Vcpus[vcpu].ExpectMsg<VcpuProtocol.Resume>();
        Assert.Equal(
            (1022UL, 0, 1L),
            slot.Report() is var report ? (report.Missing, report.Waiting, report.Counters.Merged) : default
        );
        slot.ExpectNothingMoreFetched();
    }

    [Fact]
    public void A_source_that_is_lost_is_told_to_the_vm_and_everything_awaited_is_asked_for_again()
    {
        using var slot = new SlotRig(this);
        slot.Fault(0, 5);
        slot.ExpectFetch(FetchPriority.Demand);
        slot.Memslot.Tell(new FetchFailed("no page source is left", [new MemoryPage(5)]));
        Assert.Equal(
            new VmProtocol.SourceLost("no page source is left", 1),
            slot.Vm.ExpectMsg<VmProtocol.SourceLost>()
        );

        slot.Memslot.Tell(MemslotProtocol.AskAgain.Instance);
        Assert.Equal([5UL], slot.ExpectFetch(FetchPriority.Demand));
        slot.Arrive(5);
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();
    }

    [Fact]
    public void Pushed_pages_that_were_lost_are_asked_for_again()
    {
        using var slot = new SlotRig(this);
        slot.Memslot.Tell(new MemslotProtocol.StartPush(PushOrderKind.Sequential, null, 8, 4));
        Assert.Equal([0UL, 1, 2, 3, 4, 5, 6, 7], slot.ExpectFetch(FetchPriority.Background));
        slot.Arrive(0, 1, 2, 3);
        Assert.Equal([8UL, 9, 10, 11], slot.ExpectFetch(FetchPriority.Background));
        slot.Memslot.Tell(MemslotProtocol.AskAgain.Instance);
        Assert.Equal([4UL, 5, 6, 7, 8, 9, 10, 11], slot.ExpectFetch(FetchPriority.Background).Order().ToArray());
    }

    [Fact]
    public void Of_a_push_that_came_in_part_only_the_rest_is_asked_for_again()
    {
        using var slot = new SlotRig(this);
        slot.Memslot.Tell(new MemslotProtocol.StartPush(PushOrderKind.Sequential, null, 4, 4));
        slot.ExpectFetch(FetchPriority.Background);
        slot.Arrive(0, 2);
        slot.Memslot.Tell(MemslotProtocol.AskAgain.Instance);
        Assert.Equal([1UL, 3], slot.ExpectFetch(FetchPriority.Background));
    }

    [Fact]
    public void What_a_node_held_for_in_place_is_asked_for_as_demand_where_it_is_not()
    {
        using var slot = new SlotRig(this);
        slot.Memslot.Tell(new MemslotProtocol.StartPush(PushOrderKind.Sequential, null, 4, 4));
        slot.ExpectFetch(FetchPriority.Background);
        slot.Arrive(0, 1);
        slot.Memslot.Tell(
            new PagesNotSent([new MemoryPage(0), new MemoryPage(1), new MemoryPage(3), new MemoryPage(5000)])
        );
        Assert.Equal([3UL], slot.ExpectFetch(FetchPriority.Demand));

        // Pages 2 and 3 come, the chunk is over, and the push goes on.
        slot.Arrive(2, 3);
        Assert.Equal([4UL, 5, 6, 7], slot.ExpectFetch(FetchPriority.Background));
    }

    [Fact]
    public void Cleared_bits_are_handed_to_the_fetchers_in_numbered_batches_and_ranges_to_who_asks()
    {
        using var slot = new SlotRig(this, broadcasts: true);
        var first = slot.Fetchers.ExpectMsg<FetcherProtocol.BroadcastClears>().Clears;
        Assert.Equal(("vm", 1UL, 1024UL), (first.Vm, first.Sequence, first.Pages.Count));
        Assert.Empty(first.Words);

        slot.Arrive(0, 1, 64);
        var second = slot.Fetchers.ExpectMsg<FetcherProtocol.BroadcastClears>().Clears;
        Assert.Equal(2UL, second.Sequence);
        Assert.Equal([new ClearedWord(0, 3), new ClearedWord(1, 1)], second.Words);

        slot.Memslot.Tell(new MemslotProtocol.GetBitmap(0, 2), TestActor);
        var range = ExpectMsg<BitmapRange>();
        Assert.Equal((2UL, 0UL), (range.Sequence, range.FirstWord));
        Assert.Equal([~3UL, ~1UL], range.Words);
        slot.Memslot.Tell(new MemslotProtocol.GetBitmap(15, uint.MaxValue), TestActor);
        Assert.Equal([ulong.MaxValue], ExpectMsg<BitmapRange>().Words);
        slot.Memslot.Tell(new MemslotProtocol.GetBitmap(16, 1), TestActor);
        Assert.Empty(ExpectMsg<BitmapRange>().Words);
    }

    [Fact]
    public void A_dirty_log_is_answered_when_no_vcpu_can_write_unlogged_any_more()
    {
        using var slot = new SlotRig(this, MemslotFlags.LogDirtyPages, missing: false);
        slot.Fault(0, 5, Access.Write);
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();

        slot.Memslot.Tell(MemslotProtocol.GetDirtyLog.Instance, TestActor);
        var flushes = slot.Vcpus.Select(v => v.ExpectMsg<VcpuProtocol.FlushTlb>()).ToArray();
        Assert.All(flushes, f => Assert.True(f.Range.Contains(new Gfn(5))));
        for (var vcpu = 0; vcpu < flushes.Length; vcpu++)
        {
            // Whatever the memslot answers now it has answered before this report.
            slot.Memslot.Tell(MemslotProtocol.GetReport.Instance, TestActor);
            ExpectMsg<SlotReport>();
            slot.Memslot.Tell(new MemslotProtocol.FlushDone(vcpu, flushes[vcpu].Generation));
        }

        var log = ExpectMsg<MemslotProtocol.DirtyLog>();
        Assert.Equal((Errno.None, 1UL << 5), (log.Errno, log.Words[0]));
    }

    [Fact]
    public void A_dirty_log_that_needs_no_flush_is_answered_at_once()
    {
        using var slot = new SlotRig(this, MemslotFlags.LogDirtyPages, missing: false);
        slot.Memslot.Tell(MemslotProtocol.GetDirtyLog.Instance, TestActor);
        Assert.All(ExpectMsg<MemslotProtocol.DirtyLog>().Words, word => Assert.Equal(0UL, word));
        slot.Memslot.Tell(new MemslotProtocol.ClearDirtyLog(1, 64, [1]), TestActor);
        Assert.NotEqual(Errno.None, ExpectMsg<MemslotProtocol.DirtyLog>().Errno);
    }

    [Fact]
    public void A_pre_fault_that_replaces_a_table_is_answered_when_no_vcpu_has_the_old_translations_any_more()
    {
        using var slot = new SlotRig(this, missing: false);
        // Page by page, and nothing to recover when USERFAULT is turned off; then the host's pages become huge ones.
        slot.Fault(0, 3);
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();
        slot.Memslot.Tell(new MemslotProtocol.ChangeFlags(slot.Rig.Slot with { Flags = MemslotFlags.None }), TestActor);
        ExpectMsg<MemslotProtocol.SlotChanged>();
        slot.Rig.OddHost.Unmap(slot.Rig.Memory.Base, 1024 << Page.Shift);
        slot.Rig.OddHost.Map(slot.Rig.Memory.Base, 1024 << Page.Shift, PageLevel.Size2M);
        Assert.Equal(
            (1L, 0L, 0L),
            slot.Report().Counters is var before ? (before.Leaves4K, before.Leaves2M, before.Flushes) : default
        );

        slot.Memslot.Tell(new MemslotProtocol.PreFault(new GfnRange(new Gfn(5), 1)), TestActor);
        var flushes = slot.Vcpus.Select(v => v.ExpectMsg<VcpuProtocol.FlushTlb>()).ToArray();
        Assert.All(flushes, f => Assert.True(f.Range.Contains(new Gfn(3))));
        for (var vcpu = 0; vcpu < flushes.Length; vcpu++)
        {
            // Whatever the memslot answers now it has answered before this report.
            Assert.Equal(
                (0L, 1L, 1L),
                slot.Report().Counters is var after ? (after.Leaves4K, after.Leaves2M, after.Flushes) : default
            );
            slot.Memslot.Tell(new MemslotProtocol.FlushDone(vcpu, flushes[vcpu].Generation));
        }

        Assert.Equal(new MemslotProtocol.PreFaulted(Errno.None, 1), ExpectMsg<MemslotProtocol.PreFaulted>());
    }

    [Fact]
    public void A_slot_that_moves_lets_its_waiters_go_and_a_fault_by_the_old_place_tries_again()
    {
        using var slot = new SlotRig(this);
        slot.Fault(0, 5);
        slot.ExpectFetch(FetchPriority.Demand);
        slot.Memslot.Tell(MemslotProtocol.Invalidate.Instance, slot.Vm);
        slot.Vm.ExpectMsg<MemslotProtocol.SlotChanged>();
        slot.Fault(1, 9);
        slot.Memslot.Tell(
            new MemslotProtocol.Activate(slot.Rig.Slot with { Range = new GfnRange(new Gfn(0x10_000), 1024) })
        );
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();
        slot.Vcpus[1].ExpectMsg<VcpuProtocol.Resume>();

        slot.Fault(2, 9);
        slot.Vcpus[2].ExpectMsg<VcpuProtocol.Resume>();
        slot.Fault(2, 0x10_009);
        Assert.Equal([9UL], slot.ExpectFetch(FetchPriority.Demand));
        slot.Arrive(5, 9);
        slot.Vcpus[2].ExpectMsg<VcpuProtocol.Resume>();
        Assert.Equal(1022UL, slot.Report().Missing);
    }

    [Fact]
    public void A_slot_that_is_gone_answers_everybody_and_takes_no_content()
    {
        using var slot = new SlotRig(this, mode: FaultMode.Both);
        slot.Fault(0, 5);
        slot.Memslot.Tell(new MemslotProtocol.HostAccess(new MemoryPage(6), false), TestActor);
        slot.ExpectFetch(FetchPriority.Demand);
        slot.Memslot.Tell(MemslotProtocol.Invalidate.Instance, slot.Vm);
        slot.Vm.ExpectMsg<MemslotProtocol.SlotChanged>();
        slot.Memslot.Tell(MemslotProtocol.Retire.Instance);
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();
        // Who slept is woken without its page and makes the access again, by way of the VM; so does who comes late.
        Assert.Equal(new MemoryPage(6), slot.Vm.ExpectMsg<MemslotProtocol.HostAccess>().Page);
        Assert.Equal(TestActor, slot.Vm.LastSender);
        slot.Vm.ExpectMsg<MemslotProtocol.SlotChanged>();
        slot.Memslot.Tell(new MemslotProtocol.HostAccess(new MemoryPage(8), false), TestActor);
        Assert.Equal(new MemoryPage(8), slot.Vm.ExpectMsg<MemslotProtocol.HostAccess>().Page);
        slot.Memslot.Tell(MemslotProtocol.GetReport.Instance, TestActor);
        Assert.Equal(1024UL, ExpectMsg<SlotReport>().Missing);
        slot.Memslot.Tell(MemslotProtocol.GetDirtyLog.Instance, TestActor);
        Assert.Equal(Errno.ENOENT, ExpectMsg<MemslotProtocol.DirtyLog>().Errno);

        slot.Arrive(5);
        slot.Fault(1, 7);
        slot.Vcpus[1].ExpectMsg<VcpuProtocol.Resume>();
        Assert.Equal(1024UL, slot.Rig.Bitmap.Count());
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_poisoned_page_signals_its_vcpu_which_goes_on_behind_the_access(Architecture architecture)
    {
        using var slot = new SlotRig(this, missing: false, architecture: architecture);
        slot.Rig.OddHost.Poison(slot.Rig.Memory.Base.Plus(5 << Page.Shift));
        slot.Fault(0, 5);
        Assert.Equal(
            new VcpuProtocol.Skip(new Gfn(5), FaultKind.Poisoned),
            slot.Vcpus[0].ExpectMsg<VcpuProtocol.Skip>()
        );
        slot.Fault(1, 6);
        slot.Vcpus[1].ExpectMsg<VcpuProtocol.Resume>();
    }

    [Fact]
    public void A_page_that_is_missing_and_poisoned_is_fetched_first()
    {
        using var slot = new SlotRig(this);
        slot.Rig.OddHost.Poison(slot.Rig.Memory.Base.Plus(5 << Page.Shift));
        slot.Fault(0, 5);
        Assert.Equal([5UL], slot.ExpectFetch(FetchPriority.Demand));
        slot.Arrive(5);
        Assert.Equal(FaultKind.Poisoned, slot.Vcpus[0].ExpectMsg<VcpuProtocol.Skip>().Why);
    }

    [Fact]
    public void A_signal_ends_the_wait_for_a_host_page_and_the_access_is_made_again()
    {
        using var slot = new SlotRig(this, missing: false);
        slot.Rig.OddHost.HasPendingSignal = true;
        slot.Fault(0, 5);
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();
        Assert.Equal(1, slot.Report().Counters.Outcomes[nameof(FaultKind.SignalPending)]);
        slot.Rig.OddHost.HasPendingSignal = false;
        slot.Fault(0, 5);
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();
        Assert.Equal(1, slot.Report().Counters.Leaves4K);
    }

    [Fact]
    public void On_arm64_a_page_that_cannot_be_had_is_a_bare_efault()
    {
        using var slot = new SlotRig(this, missing: false, architecture: Architecture.Arm64);
        slot.Rig.OddHost.HasPendingSignal = true;
        slot.Fault(0, 5);
        Assert.Equal(
            new VcpuProtocol.Fail(new Gfn(5), FaultKind.BareEfault),
            slot.Vcpus[0].ExpectMsg<VcpuProtocol.Fail>()
        );
    }

    // The guest's own page tables lie in read-only memory, and the walk wants to set an accessed bit.
    [Theory]
    [InlineData(Architecture.X86, FaultKind.Mmio)]
    [InlineData(Architecture.Arm64, FaultKind.GuestAbort)]
    public void A_walk_of_the_guests_own_tables_that_writes_where_it_may_not(
        Architecture architecture,
        FaultKind expected
    )
    {
        using var slot = new SlotRig(this, MemslotFlags.Readonly, missing: false, architecture: architecture);
        slot.Fault(0, 5);
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();
        var access = new VcpuAccess(new Gfn(5), Access.Write, IsTableWalk: true);
        slot.Memslot.Tell(new MemslotProtocol.MemoryFaults(new[] { new MemslotProtocol.MemoryFault(0, access) }));
        Assert.Equal(new VcpuProtocol.Skip(new Gfn(5), expected), slot.Vcpus[0].ExpectMsg<VcpuProtocol.Skip>());
    }

    [Fact]
    public void Faults_that_come_together_are_resumed_together_and_each_ends_in_its_own_way()
    {
        using var slot = new SlotRig(this);
        slot.Rig.OddHost.Poison(slot.Rig.Memory.Base.Plus(9 << Page.Shift));
        (int Vcpu, ulong Page)[] faults = [(0, 5), (1, 5), (2, 9)];
        slot.Memslot.Tell(
            new MemslotProtocol.MemoryFaults(
                faults
                    .Select(f => new MemslotProtocol.MemoryFault(f.Vcpu, new VcpuAccess(new Gfn(f.Page), Access.Read)))
                    .ToArray()
            )
        );
        Assert.Equal([5UL], slot.ExpectFetch(FetchPriority.Demand));
        Assert.Equal([9UL], slot.ExpectFetch(FetchPriority.Demand));
        slot.Arrive(5, 9);
        slot.Vcpus[0].ExpectMsg<VcpuProtocol.Resume>();
        slot.Vcpus[1].ExpectMsg<VcpuProtocol.Resume>();
        Assert.Equal(FaultKind.Poisoned, slot.Vcpus[2].ExpectMsg<VcpuProtocol.Skip>().Why);
        Assert.Equal(0, slot.Report().Waiting);
    }

    [Fact]
    public void A_slot_with_memory_elsewhere_delivers_its_events()
    {
        using var slot = new SlotRig(this, mode: FaultMode.Both, firstGfn: 0x8_000);
        slot.Memslot.Tell(new MemslotProtocol.UffdRead(0), TestActor);
        slot.Memslot.Tell(new MemslotProtocol.HostAccess(new MemoryPage(5), true), slot.Listener);
        Assert.Equal(
            new UffdEvent(new MemoryPage(5), false, true),
            ExpectMsg<UffdReaderProtocol.Events>().List.Single()
        );
        slot.Memslot.Tell(new MemslotProtocol.UffdCopy(SlotRig.Batch(5)), TestActor);
        Assert.Empty(ExpectMsg<UffdReaderProtocol.Resolved>().Exists);
        slot.Listener.FishForMessage(m => m is MemslotProtocol.HostAccessDone { Page.Value: 5 });
    }

    [Fact]
    public void A_reader_fetches_what_is_missing_continues_what_is_cached_and_wakes_where_another_was_faster()
    {
        var (memslot, fetchers) = (CreateTestProbe(), CreateTestProbe());
        var reader = Sys.ActorOf(UffdReaderActor.Props(memslot, 0, fetchers));
        Assert.Equal(0, memslot.ExpectMsg<MemslotProtocol.UffdRead>().Descriptor);
        reader.Tell(
            new UffdReaderProtocol.Events([
                new UffdEvent(new MemoryPage(1), false, false),
                new UffdEvent(new MemoryPage(2), true, false),
                new UffdEvent(new MemoryPage(3), false, true),
            ])
        );
        Assert.Equal([new MemoryPage(2)], memslot.ExpectMsg<MemslotProtocol.UffdContinue>().Pages);
        memslot.ExpectMsg<MemslotProtocol.UffdRead>();
        Assert.Equal([1UL, 3UL], SlotRig.PagesOf(fetchers.ExpectMsg<FetcherProtocol.FetchPages>()));

        reader.Tell(new PagesFetched(SlotRig.Batch(1)));
        memslot.ExpectMsg<MemslotProtocol.UffdCopy>().Batch.Release();
        // The memslot failed in the middle: what it was told to copy is asked for again.
        reader.Tell(MemslotProtocol.AskAgain.Instance);
        Assert.Equal([1UL, 3UL], SlotRig.PagesOf(fetchers.ExpectMsg<FetcherProtocol.FetchPages>()));
        reader.Tell(new UffdReaderProtocol.Resolved([new MemoryPage(1)], [new MemoryPage(1)]));
        Assert.Equal([new MemoryPage(1)], memslot.ExpectMsg<MemslotProtocol.UffdWake>().Pages);
        reader.Tell(new FetchFailed("gone", [new MemoryPage(3)]));
        memslot.ExpectMsg<FetchFailed>();
        reader.Tell(MemslotProtocol.AskAgain.Instance);
        Assert.Equal([3UL], SlotRig.PagesOf(fetchers.ExpectMsg<FetcherProtocol.FetchPages>()));
    }

    // A memslot with probes all around it.
    private sealed class SlotRig : IDisposable
    {
        public SlotRig(
            MemslotActorSpec spec,
            MemslotFlags flags = MemslotFlags.None,
            bool missing = true,
            FaultMode mode = FaultMode.Userfault,
            ulong firstGfn = 0,
            bool broadcasts = false,
            Architecture architecture = Architecture.X86
        )
        {
            Rig = new PagerRig(
                mode,
                architecture: architecture,
                flags: flags,
                missing: missing,
                firstGfn: firstGfn,
                hasOddHost: mode == FaultMode.Userfault
            );
            Vcpus = [.. Enumerable.Range(0, PagerRig.Vcpus).Select(_ => spec.CreateTestProbe())];
            (Vm, Fetchers, Listener) = (spec.CreateTestProbe(), spec.CreateTestProbe(), spec.CreateTestProbe());
            _spec = spec;
            IActorRef[] vcpus = [.. Vcpus.Select(v => v.Ref)];
            var gate = spec.Sys.ActorOf(VcpuGateActor.Props(new FaultGate(1), vcpus));
            Memslot = spec.Sys.ActorOf(
                MemslotActor.Props(
                    Rig.Pager,
                    new MemslotWiring(
                        Vm,
                        "vm",
                        vcpus,
                        gate,
                        Fetchers,
                        Listener,
                        new MemslotSettings(),
                        BroadcastsClears: broadcasts
                    )
                )
            );
        }

        private readonly MemslotActorSpec _spec;

        public PagerRig Rig { get; }

        public TestProbe[] Vcpus { get; }

        public TestProbe Vm { get; }

        public TestProbe Fetchers { get; }

        public TestProbe Listener { get; }

        public IActorRef Memslot { get; }

        public static unsafe PageBatch Batch(params ulong[] pages)
        {
            var batch = new PageBatchPool().Rent(1);
            foreach (var page in pages)
                batch.Add(PagerRig.ContentOf(page));
            return batch;
        }

        public static List<ulong> PagesOf(FetcherProtocol.FetchPages fetch) =>
            [.. fetch.Ranges.SelectMany(r => Enumerable.Range(0, (int)r.Count).Select(i => r.Start.Value + (ulong)i))];

        public void Fault(int vcpu, ulong gfn, Access kind = Access.Read) =>
            Memslot.Tell(
                new MemslotProtocol.MemoryFaults(
                    new[] { new MemslotProtocol.MemoryFault(vcpu, new VcpuAccess(new Gfn(gfn), kind)) }
                )
            );

        public void Arrive(params ulong[] pages) => Memslot.Tell(new PagesFetched(Batch(pages)));

        public List<ulong> ExpectFetch(FetchPriority priority)
        {
            var fetch = Fetchers.ExpectMsg<FetcherProtocol.FetchPages>();
            Assert.Equal(priority, fetch.Priority);
            return PagesOf(fetch);
        }

        public SlotReport Report()
        {
            Memslot.Tell(MemslotProtocol.GetReport.Instance, _spec.TestActor);
            return _spec.ExpectMsg<SlotReport>();
        }

        // The report was answered behind everything else; what the memslot told its fetchers is in their mailbox by
        // then.
        public void ExpectNothingMoreFetched()
        {
            Report();
            Fetchers.ExpectNoMsg(TimeSpan.Zero);
        }

        public void Dispose()
        {
            _spec.Watch(Memslot);
            _spec.Sys.Stop(Memslot);
            _spec.ExpectTerminated(Memslot);
            Rig.Dispose();
        }
    }
}
