using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors.Tests.Memslots;

/// <summary>What a memslot decides, message by message, without an actor.</summary>
public sealed class MemslotPagerTests
{
    [Fact]
    public void Two_vcpus_on_one_page_cost_one_fetch_and_both_resume()
    {
        using var rig = new PagerRig();
        Assert.Equal([new Effect(EffectKind.Fetch, -1, new MemoryPage(5))], rig.Fault(0, 5));
        Assert.Empty(rig.Fault(1, 5));

        Assert.Equal([Resume(0), Resume(1)], rig.Arrive(5));
        Assert.Equal((1023UL, 0), (rig.Pager.Missing, rig.Pager.Waiting));
        var work = rig.Pager.Counters();
        Assert.Equal((2L, 1L, 1L, 0L), (work.UserfaultExits, work.Merged, work.DemandPlaced, work.BackgroundPlaced));
        Assert.Equal(PagerRig.TagOf(5), rig.Memory.Read(new MemoryPage(5), 0));
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void The_late_vcpu_finds_the_bit_clear_and_enters_at_once(Architecture architecture)
    {
        using var rig = new PagerRig(architecture: architecture);
        rig.Fault(0, 5);
        rig.Arrive(5);
        Assert.Equal([Resume(1)], rig.Fault(1, 5));
        Assert.Equal(1, rig.Pager.Counters().Outcomes[nameof(FaultKind.Spurious)]);
    }

    [Fact]
    public void A_bit_is_clear_only_when_the_content_is_there()
    {
        using var rig = new PagerRig();
        rig.Fault(0, 5);
        Assert.Equal((true, 0UL), (rig.Bitmap.IsSet(5), rig.Memory.Read(new MemoryPage(5), 0)));
        rig.Arrive(5);
        Assert.Equal((false, PagerRig.TagOf(5)), (rig.Bitmap.IsSet(5), rig.Memory.Read(new MemoryPage(5), 0)));
        Assert.Equal(1023UL, rig.Bitmap.Count());
    }

    [Fact]
    public void Late_content_never_overwrites_what_the_guest_wrote()
    {
        using var rig = new PagerRig();
        rig.Fault(0, 5, Access.Write);
        rig.Arrive(5);
        rig.Memory.Write(new MemoryPage(5), GuestStamp.Of(0, 1), rig.Ledger);
        var written = rig.Memory.Read(new MemoryPage(5), 0);
        Assert.NotEqual(PagerRig.TagOf(5), written);

        Assert.Empty(rig.Arrive(5));
        Assert.Equal(written, rig.Memory.Read(new MemoryPage(5), 0));
        Assert.Equal((1023UL, 1L), (rig.Pager.Missing, rig.Pager.Counters().LateDropped));
    }

    [Fact]
    public void Content_of_a_foreign_page_throws()
    {
        using var rig = new PagerRig();
        var thrown = Assert.Throws<InvalidOperationException>(() => rig.Arrive(1024));
        Assert.Contains("0x400", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => rig.Fault(0, 1024));
    }

    [Fact]
    public void A_fault_that_is_reported_again_while_it_waits_changes_nothing()
    {
        using var rig = new PagerRig();
        rig.Fault(0, 5);
        Assert.Empty(rig.Fault(0, 5));
        Assert.Equal([Resume(0)], rig.Arrive(5));
    }

    [Fact]
    public void After_a_loss_every_page_that_somebody_waits_for_is_asked_for_again()
    {
        using var rig = new PagerRig();
        rig.Fault(0, 9);
        rig.Fault(1, 3);
        rig.Fault(2, 3);
        rig.Arrive(9);
        Assert.Equal(
            [new Effect(EffectKind.Fetch, -1, new MemoryPage(3))],
            rig.Do(() => rig.Pager.FetchAgain(rig.Effects))
        );
    }

    [Fact]
    public void A_pushed_page_that_is_touched_is_promoted_and_not_fetched_twice()
    {
        using var rig = new PagerRig();
        rig.Pager.StartPush(PushOrderKind.Sequential, null, windowPages: 8, chunkPages: 4);
        Assert.True(rig.Pager.TryPush(out var first));
        Assert.Equal(new MemoryPageRange(new MemoryPage(0), 4), first);
        Assert.Equal([new Effect(EffectKind.Promote, -1, new MemoryPage(2))], rig.Fault(0, 2));
        Assert.Equal([Resume(0)], rig.Arrive(2));

        Assert.True(rig.Pager.TryPush(out var second));
        Assert.Equal(new MemoryPageRange(new MemoryPage(4), 4), second);
        Assert.False(rig.Pager.TryPush(out _));
        foreach (var page in (ulong[])[0, 1, 3])
            rig.Arrive(page);
        rig.Pager.SettlePushes();
        Assert.Equal([second], rig.Pager.PushesUnderWay());
        // What has come of a push is not asked for again with the rest.
        rig.Arrive(5);
        Assert.Equal(
            [new MemoryPageRange(new MemoryPage(4), 1), new MemoryPageRange(new MemoryPage(6), 2)],
            rig.Pager.PushesUnderWay()
        );
        Assert.True(rig.Pager.TryPush(out _));
        Assert.Equal((1L, 4L), (rig.Pager.Counters().DemandPlaced, rig.Pager.Counters().BackgroundPlaced));
    }

    [Fact]
    public void The_window_around_a_fault_takes_open_neighbours_once()
    {
        using var rig = new PagerRig();
        rig.Fault(0, 10);
        Assert.Equal(new MemoryPageRange(new MemoryPage(11), 3), rig.Pager.WindowAround(new MemoryPage(10), 8));
        Assert.True(rig.Pager.WindowAround(new MemoryPage(10), 8).IsEmpty);
        rig.Fault(1, 1022);
        Assert.Equal(new MemoryPageRange(new MemoryPage(1023), 1), rig.Pager.WindowAround(new MemoryPage(1022), 8));
    }

    [Fact]
    public void Every_cleared_bit_is_told_once()
    {
        using var rig = new PagerRig();
        rig.Pager.Cleared = new ClearBatch();
        foreach (var page in (ulong[])[0, 63, 64, 0])
            rig.Arrive(page);
        Assert.Equal([new ClearedWord(0, 1UL | 1UL << 63), new ClearedWord(1, 1)], rig.Pager.Cleared.Take());
    }

    [Theory]
    [InlineData(FaultMode.Both)]
    [InlineData(FaultMode.Userfaultfd)]
    public void An_accessor_of_the_host_sleeps_in_userfaultfd_and_is_woken_by_copy(FaultMode mode)
    {
        using var rig = new PagerRig(mode);
        Assert.Equal([Missing(5)], HostAccess(rig, 0, 5));
        Assert.Empty(HostAccess(rig, 1, 5));
        Assert.Equal(
            [Wake(0, 5), Wake(1, 5)],
            rig.Do(() => Assert.Equal(Errno.None, rig.Pager.OnUffdCopy(PagerRig.ContentOf(5), rig.Effects)))
        );
        Assert.Equal(
            (2L, 2L, 1L, 0L),
            rig.Pager.Counters() is var work
                ? (work.HostAccesses, work.HostSleeps, work.UffdResolves, work.UffdEexist)
                : default
        );
        Assert.False(rig.Bitmap.IsSet(5));
        Assert.Equal([Wake(0, 5)], HostAccess(rig, 0, 5));
    }

    [Fact]
    public void A_vcpu_and_an_accessor_on_one_page_are_served_by_one_fetch_whoever_resolves()
    {
        using var rig = new PagerRig(FaultMode.Both);
        Assert.Equal([Fetch(5)], rig.Fault(0, 5));
        // User space has asked for the page already: no event, the page only gets more urgent.
        Assert.Equal([new Effect(EffectKind.Promote, -1, new MemoryPage(5))], HostAccess(rig, 0, 5));
        Assert.Equal([Wake(0, 5), Resume(0)], rig.Arrive(5));

        Assert.Equal([Missing(6)], HostAccess(rig, 0, 6));
        Assert.Equal([new Effect(EffectKind.Promote, -1, new MemoryPage(6))], rig.Fault(0, 6));
        Assert.Equal(
            [Wake(0, 6), Resume(0)],
            rig.Do(() => Assert.Equal(Errno.None, rig.Pager.OnUffdCopy(PagerRig.ContentOf(6), rig.Effects)))
        );
    }

    [Fact]
    public void Who_is_second_to_copy_gets_EEXIST_and_wakes_explicitly()
    {
        using var rig = new PagerRig(FaultMode.Both);
        rig.Arrive(5);
        rig.Memory.Write(new MemoryPage(5), GuestStamp.Of(1, 1), rig.Ledger);
        var written = rig.Memory.Read(new MemoryPage(5), 1);

        Assert.Equal(Errno.EEXIST, rig.Pager.OnUffdCopy(PagerRig.ContentOf(5), rig.Effects));
        Assert.Equal(written, rig.Memory.Read(new MemoryPage(5), 1));
        Assert.Equal(1, rig.Pager.Counters().UffdEexist);
        Assert.Empty(rig.Do(() => rig.Pager.OnUffdWake(new MemoryPage(5), rig.Effects)));
    }

    [Fact]
    public void A_zero_page_is_resolved_by_zeropage()
    {
        using var rig = new PagerRig(FaultMode.Both);
        HostAccess(rig, 0, 5);
        Assert.Equal(
            [Wake(0, 5)],
            rig.Do(() =>
                Assert.Equal(Errno.None, rig.Pager.OnUffdCopy(PageContent.Zero(new MemoryPage(5)), rig.Effects))
            )
        );
        Assert.Equal((0UL, false), (rig.Memory.Read(new MemoryPage(5), 0), rig.Bitmap.IsSet(5)));
        Assert.True(rig.Host.IsMapped(new MemoryPage(5)));
    }

    [Fact]
    public void Under_userfaultfd_alone_a_vcpu_sleeps_and_enters_when_it_is_woken()
    {
        using var rig = new PagerRig(FaultMode.Userfaultfd);
        Assert.Equal([Missing(5)], rig.Fault(0, 5));
        Assert.Empty(rig.Fault(1, 5));
        Assert.Equal(
            [Resume(0), Resume(1)],
            rig.Do(() => Assert.Equal(Errno.None, rig.Pager.OnUffdCopy(PagerRig.ContentOf(5), rig.Effects)))
        );
        Assert.Equal(
            (2L, 0L, 1L),
            rig.Pager.Counters() is var work ? (work.UffdSleeps, work.UserfaultExits, work.Merged) : default
        );
    }

    [Fact]
    public void What_is_pushed_into_shared_memory_is_a_minor_fault_resolved_by_continue()
    {
        using var rig = new PagerRig(FaultMode.Userfaultfd, MemoryKind.Shmem);
        rig.Arrive(5);
        Assert.Equal((true, false), (rig.Host.IsPopulated(new MemoryPage(5)), rig.Host.IsMapped(new MemoryPage(5))));

        Assert.Equal([new Effect(EffectKind.UffdEvent, -1, new MemoryPage(5), IsMinor: true)], rig.Fault(0, 5));
        Assert.Equal(
            [Resume(0)],
            rig.Do(() => Assert.Equal(Errno.None, rig.Pager.OnUffdContinue(new MemoryPage(5), rig.Effects)))
        );
        Assert.Equal(Errno.EEXIST, rig.Pager.OnUffdContinue(new MemoryPage(5), rig.Effects));
        Assert.Equal(Errno.EFAULT, rig.Pager.OnUffdContinue(new MemoryPage(6), rig.Effects));
    }

    [Theory]
    [InlineData(UffdModes.None, Errno.ENOENT, Errno.ENOENT)]
    [InlineData(UffdModes.Missing, Errno.None, Errno.ENOENT)]
    [InlineData(UffdModes.Missing | UffdModes.Minor, Errno.None, Errno.EEXIST)]
    public void Copy_and_continue_answer_by_what_is_registered(UffdModes modes, Errno copy, Errno continues)
    {
        using var memory = new TagGuestMemory(8);
        using var host = new HostMapping(MemoryKind.Shmem, memory.Base, 8, modes);
        Assert.Equal(copy, host.Copy(PagerRig.ContentOf(3), memory));
        Assert.Equal(continues, host.Continue(new MemoryPage(3)));
        if (copy == Errno.None)
            Assert.Equal(Errno.EEXIST, host.Copy(PagerRig.ContentOf(3), memory));
    }

    [Fact]
    public void A_page_that_nobody_registered_for_is_filled_with_zeros()
    {
        using var memory = new TagGuestMemory(8);
        using var host = new HostMapping(MemoryKind.Anonymous, memory.Base, 8, UffdModes.None);
        Assert.Null(host.Touch(new MemoryPage(3)));
        Assert.True(host.IsPopulated(new MemoryPage(3)));
        Assert.Equal(Errno.EEXIST, host.Populate(PagerRig.ContentOf(3), memory));
    }

    [Fact]
    public void A_guest_memfd_page_exits_private_and_userfault_and_its_content_goes_into_the_file()
    {
        using var rig = new PagerRig(FaultMode.Userfault, MemoryKind.GuestMemfd);
        var outcome = rig.Core.Fault(new VcpuAccess(new Gfn(5), Access.Read, IsPrivate: true));
        Assert.Equal(MemoryFaultFlags.Private | MemoryFaultFlags.Userfault, outcome.Flags);

        Assert.Equal([Fetch(5)], rig.Fault(0, 5, Access.Write, isPrivate: true));
        Assert.Equal([Resume(0)], rig.Arrive(5));
        Assert.Equal(
            (true, PagerRig.TagOf(5)),
            (rig.Host.IsPopulated(new MemoryPage(5)), rig.Memory.Read(new MemoryPage(5), 0))
        );
        // A shared access to a private page: KVM_EXIT_MEMORY_FAULT that user space cannot mend.
        Assert.Equal([new Effect(EffectKind.Fail, 1, default, new Gfn(5), FaultKind.MemoryFaultExit)], rig.Fault(1, 5));
    }

    [Fact]
    public void Who_waits_for_a_slot_that_is_going_away_is_held_back_until_it_is_over()
    {
        using var rig = new PagerRig();
        rig.Fault(0, 5);
        rig.Core.Invalidate();
        Assert.Empty(rig.Fault(1, 5));
        // Content that was on its way finds the slot invalid: its waiter is held back as well.
        Assert.Empty(rig.Arrive(5));
        Assert.Equal(2, rig.Pager.Waiting);
        Assert.Equal([Resume(1), Resume(0)], rig.Do(() => rig.Pager.Evict(rig.Effects)));
        Assert.Equal(0, rig.Pager.Waiting);
    }

    [Fact]
    public void A_slot_that_moved_fetches_and_places_by_the_memory_that_it_kept()
    {
        using var rig = new PagerRig();
        rig.Pager.StartPush(PushOrderKind.Sequential, null, windowPages: 4, chunkPages: 4);
        rig.Fault(0, 5);
        Move(rig, 0x10_000);

        VcpuAccess At(ulong page) => new(new Gfn(0x10_000 + page), Access.Read);
        Assert.Equal([Fetch(700)], rig.Do(() => rig.Pager.OnFault(1, At(700), rig.Effects)));
        Assert.Equal([Resume(1)], rig.Arrive(700));
        Assert.Equal(PagerRig.TagOf(700), rig.Memory.Read(new MemoryPage(700), 0));
        Assert.True(rig.Pager.TryPush(out var pushed));
        Assert.Equal(new MemoryPageRange(new MemoryPage(0), 4), pushed);
        foreach (var page in (ulong[])[0, 1, 2, 3])
            rig.Arrive(page);
        rig.Pager.SettlePushes();
        Assert.Empty(rig.Pager.PushesUnderWay());
    }

    [Fact]
    public void A_page_whose_waiter_was_evicted_is_fetched_again_when_it_is_touched_again()
    {
        using var rig = new PagerRig();
        Assert.Equal([Fetch(5)], rig.Fault(0, 5));
        Move(rig, 0x10_000);
        // The fetch may have died with its fetcher, and nobody asked again, since nobody waited.
        Assert.Empty(rig.Do(() => rig.Pager.FetchAgain(rig.Effects)));
        Assert.Equal(
            [Fetch(5)],
            rig.Do(() => rig.Pager.OnFault(0, new VcpuAccess(new Gfn(0x10_005), Access.Read), rig.Effects))
        );
    }

    [Theory]
    [InlineData(1024UL, Errno.None, 1024UL)]
    [InlineData(100UL, Errno.None, 100UL)]
    public void Prefaulting_maps_what_is_there(ulong count, Errno errno, ulong done)
    {
        using var rig = new PagerRig(missing: false);
        Assert.Equal(new MemslotProtocol.PreFaulted(errno, done), rig.Pager.PreFault(new GfnRange(new Gfn(0), count)));
        Assert.Equal((long)done, rig.Pager.Counters().Leaves4K);
    }

    [Fact]
    public void Prefaulting_stops_at_a_missing_page()
    {
        using var rig = new PagerRig();
        for (ulong page = 0; page < 3; page++)
            rig.Arrive(page);
        Assert.Equal(new MemslotProtocol.PreFaulted(Errno.None, 3), rig.Pager.PreFault(new GfnRange(new Gfn(0), 10)));
        Assert.Equal(new MemslotProtocol.PreFaulted(Errno.EFAULT, 0), rig.Pager.PreFault(new GfnRange(new Gfn(3), 10)));
    }

    private static void Move(PagerRig rig, ulong to)
    {
        rig.Core.Invalidate();
        while (rig.Core.HasWork)
            rig.Core.Work(512);
        rig.Do(() => rig.Pager.Activate(rig.Slot with { Range = rig.Range with { Start = new Gfn(to) } }, rig.Effects));
    }

    private static IReadOnlyList<Effect> HostAccess(PagerRig rig, int accessor, ulong page) =>
        rig.Do(() =>
            rig.Pager.OnHostAccess(PagerRig.Accessor + accessor, new MemoryPage(page), write: false, rig.Effects)
        );

    private static Effect Resume(int vcpu) => new(EffectKind.Resume, vcpu, default);

    private static Effect Fetch(ulong page) => new(EffectKind.Fetch, -1, new MemoryPage(page));

    private static Effect Missing(ulong page) => new(EffectKind.UffdEvent, -1, new MemoryPage(page));

    private static Effect Wake(int accessor, ulong page) =>
        new(EffectKind.WakeAccessor, PagerRig.Accessor + accessor, new MemoryPage(page));
}
