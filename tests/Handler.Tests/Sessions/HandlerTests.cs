using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>One VM and several, served from an image in this process.</summary>
[Collection(nameof(OneAtATime))]
public unsafe class HandlerTests
{
    [SkippableTheory]
    [InlineData(1, false, false)]
    [InlineData(64, false, false)]
    [InlineData(64, true, false)]
    [InlineData(1, false, true)]
    [InlineData(64, false, true)]
    [InlineData(64, true, true)]
    public void Every_page_is_the_images(int chunk, bool push, bool isMapped)
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(
            o =>
                o with
                {
                    Pager = new PagerSettings
                    {
                        ChunkPages = (ulong)chunk,
                        Push = push ? Pages.PushOrderKind.Sequential : null,
                    },
                },
            isMapped: isMapped
        );
        using var vm = rig.Connect();
        for (var page = HandlerRig.Pages; page-- > 0; )
            Assert.True(vm.IsRight(page), $"page {page}");
        var report = Assert.Single(rig.Server.Report());
        Assert.Equal(0, report.Counters.MissingPages);
        Assert.Equal((long)HandlerRig.Pages, report.Counters.DemandPages + report.Counters.BackgroundPages);
        if (!push)
            Assert.Equal((long)HandlerRig.Pages / chunk, report.Counters.Faults);
        if (!push)
            Assert.Equal(0, report.Counters.BackgroundPages);
        Assert.Equal(report.Counters.Faults, report.Latency.Count + report.Counters.StaleFaults);
    }

    [SkippableFact]
    public void What_the_guest_gives_back_is_zero_ever_after()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(HandlerRig.PageByPage);
        using var vm = rig.Connect();
        Assert.True(vm.IsRight(3));
        // One page that was there, and one that never came.
        vm.Memory.Discard(3 << Page.Shift, 2 << Page.Shift);
        Assert.True(vm.IsZero(3));
        Assert.True(vm.IsZero(4));
        Assert.True(vm.IsRight(5));
        NativeTouch.Write(vm.At(3), 1);
        vm.Memory.Discard(3 << Page.Shift, 1 << Page.Shift);
        Assert.True(vm.IsZero(3));
        var counters = rig.Server.Report()[0].Counters;
        Assert.Equal(3, counters.RemovedPages);
        Assert.Equal(3, counters.RemovedTouched);
        Assert.Equal(2, counters.DemandPages);
    }

    /// <summary>
    /// Some pages of a chunk came by another way: the others come all the same, and nobody is left waiting.
    /// </summary>
    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_chunk_goes_around_pages_that_are_there(int threads)
    {
        Here.NeedsUserfaultfd();
        Here.Ends(() =>
        {
            using var rig = new HandlerRig(
                o =>
                    o with
                    {
                        Pager = new PagerSettings
                        {
                            ChunkPages = 64,
                            Push = null,
                            CopyThreads = threads,
                        },
                    },
                isMapped: true
            );
            using var vm = rig.Connect();
            ulong[] present = [0, 17, 18, 40, 63, 130];
            foreach (var page in present)
                Assert.True(vm.Uffd.Zeropage(vm.Memory.Address + (page << Page.Shift), Page.Size).IsComplete);
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.True(present.Contains(page) ? vm.IsZero(page) : vm.IsRight(page), $"page {page}");
            var counters = Assert.Single(rig.Server.Report()).Counters;
            Assert.Equal(0, counters.MissingPages);
            Assert.Equal((long)HandlerRig.Pages - present.Length, counters.DemandPages);
            Assert.Equal(4, counters.Faults);
        });
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Removals_beside_many_touchers_never_bring_old_content_back(bool isMapped)
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(isMapped: isMapped);
        using var vm = rig.Connect();
        const ulong balloon = 64;
        var wrong = 0;
        var touchers = Enumerable
            .Range(0, 8)
            .Select(i => new Thread(() =>
            {
                for (ulong n = 0; n < 400; n++)
                {
                    var page = (n * 37 + (ulong)i * 11) % HandlerRig.Pages;
                    var isFine =
                        page >= HandlerRig.Pages - balloon ? vm.IsRight(page) || vm.IsZero(page) : vm.IsRight(page);
                    if (!isFine)
                        Interlocked.Increment(ref wrong);
                }
            }))
            .ToList();
        touchers.ForEach(t => t.Start());
        for (var page = HandlerRig.Pages - balloon; page < HandlerRig.Pages; page++)
            vm.Memory.Discard(page << Page.Shift, 1 << Page.Shift);
        touchers.ForEach(t => t.Join());
        Assert.Equal(0, wrong);
        for (ulong page = 0; page < HandlerRig.Pages; page++)
            Assert.True(page >= HandlerRig.Pages - balloon ? vm.IsZero(page) : vm.IsRight(page), $"page {page}");
    }

    [SkippableFact]
    public void Stopping_puts_the_rest_in_place_and_lets_the_guest_go()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(HandlerRig.PageByPage);
        using var vm = rig.Connect();
        Assert.True(vm.IsRight(0));
        vm.Memory.Discard(8 << Page.Shift, 1 << Page.Shift);
        rig.Server.Stop();
        // Nobody serves any more; nothing sleeps.
        for (ulong page = 0; page < HandlerRig.Pages; page++)
            Assert.True(page == 8 ? vm.IsZero(page) : vm.IsRight(page), $"page {page}");
        vm.Memory.Discard(9 << Page.Shift, 1 << Page.Shift);
        Assert.True(vm.IsZero(9));
        var report = Assert.Single(rig.Server.Report());
        Assert.Equal(PagerEnd.Completed, report.End);
    }

    [SkippableFact]
    public void A_monitor_that_closes_its_socket_and_lives_on_is_served_to_the_end()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(HandlerRig.PageByPage);
        using var vm = rig.Connect();
        vm.Socket.Dispose();
        for (ulong page = 0; page < HandlerRig.Pages; page++)
            Assert.True(vm.IsRight(page), $"page {page}");
        rig.Line(HandlerEvent.Ended);
    }

    /// <summary>The kernel puts nothing in place at all where a call reaches from one mapping into the next.</summary>
    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_region_of_several_mappings_is_served_to_the_last_page(int copyThreads)
    {
        Here.NeedsUserfaultfd();
        Here.Ends(() =>
        {
            using var rig = new HandlerRig(o =>
                o with
                {
                    Pager = new PagerSettings
                    {
                        ChunkPages = 64,
                        Push = null,
                        CopyThreads = copyThreads,
                    },
                }
            );
            using var vm = rig.Connect();
            const int dontFork = 10;
            for (ulong page = 5; page < HandlerRig.Pages; page += 37)
                Assert.Equal(0, Libc.Advise(vm.At(page), 3 << Page.Shift, dontFork));
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.True(vm.IsRight(page), $"page {page}");
            Assert.Equal(0, rig.Server.Report()[0].Counters.UnmappedPages);
        });
    }

    [SkippableFact]
    public void Many_vms_share_one_image()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        var vms = Enumerable.Range(0, 8).Select(_ => rig.Connect()).ToList();
        for (ulong page = 0; page < HandlerRig.Pages; page++)
            Assert.All(vms, vm => Assert.True(vm.IsRight(page)));
        vms.ForEach(vm => vm.Dispose());
        for (var i = 0; i < 8; i++)
            rig.Line(HandlerEvent.Ended);
        // A session says its last line before it is taken off.
        Eventually.HoldsHere(() => rig.Server.Count == 0, () => $"{rig.Server.Count} sessions are left");
    }

    [SkippableFact]
    public void A_fault_that_a_dead_process_had_read_is_answered_after_a_takeover()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(HandlerRig.PageByPage);
        using var memory = MemoryMapping.Anonymously(HandlerRig.Pages << Page.Shift);
        using var uffd = Userfaultfd.Open(UffdFeatures.EventRemove);
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);
        var state = VmState.Create(HandlerRig.Pages, rig.Image.Identity);
        state.Missing.SetAll();
        // The dead process had also seen page 9 given back, and put page 4 in place without saying so.
        state.Missing.Clear(9);
        state.Removed.Set(9);
        var scratch = stackalloc byte[Page.Size];
        var content = rig.Image.Read(new MemoryPage(4), scratch);
        Assert.True(
            (
                content == null
                    ? uffd.Zeropage(memory.Address + (4 << Page.Shift), Page.Size)
                    : uffd.Copy(memory.Address + (4 << Page.Shift), content, Page.Size)
            ).IsComplete
        );

        var toucher = new Thread(() => NativeTouch.Read(memory.Start + (2 << Page.Shift))) { IsBackground = true };
        toucher.Start();
        var poll = new PollFd(uffd.Fd.Number, Libc.POLLIN);
        Assert.Equal(1, Libc.Poll(&poll, 1, Patience.OfMs(60_000)));
        UffdMessage read;
        Assert.Equal(1, uffd.Read(&read, 1));

        var (mine, theirs) = UnixSocket.Pair();
        using var held = mine;
        var map = new RegionMap([new GuestRegion(memory.Address, memory.Bytes, 0, Page.Size)]);
        rig.Server.Take(
            new VmDescriptors(
                7,
                Userfaultfd.Adopt(uffd.Fd.Duplicate()),
                map,
                state,
                theirs,
                PidFd.Open(Environment.ProcessId),
                null
            )
        );
        var isServed = toucher.Join(Patience.OfMs(60_000));
        if (!isServed)
        {
            // Before its memory goes.
            uffd.Unregister(memory.Address, memory.Bytes);
            toucher.Join();
        }
        Assert.True(isServed, "it waits for an answer that died with its reader");
        var zeros = stackalloc byte[Page.Size];
        new Span<byte>(zeros, Page.Size).Clear();
        Assert.True(NativeTouch.Equal(memory.Start + (9 << Page.Shift), zeros, Page.Size));
        for (ulong page = 0; page < 8; page++)
        {
            content = rig.Image.Read(new MemoryPage(page), scratch);
            Assert.True(
                NativeTouch.Equal(memory.Start + (page << Page.Shift), content == null ? zeros : content, Page.Size),
                $"page {page}"
            );
        }
    }

    [SkippableFact]
    public void A_running_pager_allocates_nothing()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(HandlerRig.PageByPage);
        using (var vm = rig.Connect())
        {
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.True(vm.IsRight(page));
            vm.Memory.Discard(0, 64 << Page.Shift);
            for (ulong page = 0; page < 64; page++)
                Assert.True(vm.IsZero(page));
        }
        rig.Line(HandlerEvent.Ended);
        Assert.InRange(Assert.Single(rig.Server.Report()).AllocatedBytes, 0, 256);
    }
}
