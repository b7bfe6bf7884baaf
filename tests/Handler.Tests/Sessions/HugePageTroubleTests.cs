using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>Huge pages that run short, and such that are given back in part.</summary>
[Collection(nameof(OneAtATime))]
public unsafe class HugePageTroubleTests
{
    private const ulong Huge = RegionList.HugePageBytes;
    private const ulong PerHuge = 512;
    private const int MadviseRemove = 9;

    /// <summary>
    /// The kernel answers EEXIST for a page for which its pool has no room, as if it were there. Once there is room,
    /// each page holds its content, and none was taken to be there before.
    /// </summary>
    [SkippableTheory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void A_guest_larger_than_the_pool_waits_and_finds_its_content(bool isShared, bool push)
    {
        Here.NeedsUserfaultfd();
        const int pages = 8;
        using var reserved = HugePages.Take(4);
        var free = HugePages.Free();
        Skip.If(free >= pages, "this machine has huge pages of its own that are free");
        Here.Ends(() =>
        {
            using var image = new SyntheticImage(new SyntheticSettings(pages * PerHuge));
            using var supply = new PageSupply(image);
            using var rig = new HandlerRig(
                o => o with { Pager = new PagerSettings { Push = push ? PushOrderKind.Sequential : null } },
                supply
            );
            using var vm = new HugeVm(rig, pages, isShared);
            var touchers = Enumerable
                .Range(0, pages)
                .Select(i => new Thread(() => NativeTouch.Read(vm.At((ulong)i * PerHuge))) { IsBackground = true })
                .ToList();
            touchers.ForEach(t => t.Start());
            rig.Line(HandlerEvent.MemoryShort);
            var counters = Assert.Single(rig.Server.Report()).Counters;
            Assert.True(counters.MissingPages >= (long)((ulong)(pages - free) * PerHuge), $"{counters.MissingPages}");
            reserved.TakeMore(pages);
            touchers.ForEach(t => t.Join());
            for (ulong page = 0; page < pages * PerHuge; page++)
                Assert.True(vm.IsRight(image, page), $"page {page}");
            rig.Line(HandlerEvent.MemoryBack);
            Eventually.HoldsHere(() => counters.MissingPages == 0, () => $"{counters.MissingPages} pages missing");
        });
    }

    [SkippableFact]
    public void A_guest_whose_huge_page_never_comes_is_given_up_by_name()
    {
        Here.NeedsUserfaultfd();
        const int pages = 8;
        using var reserved = HugePages.Take(4);
        Skip.If(HugePages.Free() >= pages, "this machine has huge pages of its own that are free");
        Here.Ends(() =>
        {
            using var image = new SyntheticImage(new SyntheticSettings(pages * PerHuge));
            using var supply = new PageSupply(image);
            using var rig = new HandlerRig(
                o =>
                    o with
                    {
                        Pager = new PagerSettings { Push = null, StallPatienceNs = 100_000_000 },
                    },
                supply
            );
            using var vm = new HugeVm(rig, pages, isShared: false);
            var touchers = Enumerable
                .Range(0, pages)
                .Select(i => new Thread(() => NativeTouch.Read(vm.At((ulong)i * PerHuge))) { IsBackground = true })
                .ToList();
            touchers.ForEach(t => t.Start());
            rig.Line(HandlerEvent.Failed);
            // Before they are woken: without a page they would get SIGBUS.
            reserved.TakeMore(pages);
            vm.Release();
            touchers.ForEach(t => t.Join());
            Assert.Equal(PagerEnd.Failed, Assert.Single(rig.Server.Report()).End);
        });
    }

    /// <summary>
    /// MADV_REMOVE takes huge pages that lie wholly inside, and zeroes its part of the others. What it does to pages
    /// that are there, the handler does to those that are missing.
    /// </summary>
    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_given_back_in_part_is_zero_in_that_part(bool areThere)
    {
        Here.NeedsUserfaultfd();
        const int pages = 4;
        const ulong first = PerHuge / 2;
        const ulong end = (2 * PerHuge) + 100;
        using var reserved = HugePages.Take(pages + 1);
        Here.Ends(() =>
        {
            using var image = new SyntheticImage(new SyntheticSettings(pages * PerHuge));
            using var supply = new PageSupply(image);
            using var rig = new HandlerRig(o => o with { Pager = new PagerSettings { Push = null } }, supply);
            using var vm = new HugeVm(rig, pages, isShared: true);
            for (ulong page = 0; areThere && page < pages * PerHuge; page += PerHuge)
                NativeTouch.Read(vm.At(page));
            Assert.Equal(0, Libc.Advise(vm.At(first), (nuint)((end - first) << Page.Shift), MadviseRemove));
            for (ulong page = 0; page < pages * PerHuge; page++)
            {
                var isGiven = page is >= first and < end;
                Assert.True(isGiven ? vm.IsZero(page) : vm.IsRight(image, page), $"page {page}, given back {isGiven}");
            }
            var report = Assert.Single(rig.Server.Report());
            Assert.Equal((PagerEnd.None, 0L), (report.End, report.Counters.MissingPages));
        });
    }

    /// <summary>Memory of huge pages, without a reservation for itself.</summary>
    private sealed class HugeVm : IDisposable
    {
        private const int Shared = 0x01;
        private const int Private = 0x02;
        private const int Anonymous = 0x20;
        private const int NoReserve = 0x4000;
        private const int HugeTlb = 0x40000;
        private readonly byte* _start;
        private readonly ulong _bytes;
        private readonly Userfaultfd _uffd;
        private readonly UnixSocket _socket;

        public HugeVm(HandlerRig rig, int pages, bool isShared)
        {
            _bytes = (ulong)pages * Huge;
            var flags = HugeTlb | NoReserve | Anonymous | (isShared ? Shared : Private);
            _start = (byte*)Libc.Map(null, (nuint)_bytes, 3, flags, -1, 0);
            Assert.NotEqual(-1, (nint)_start);
            _uffd = Userfaultfd.Open(UffdFeatures.EventRemove | UffdFeatures.MissingHugetlbfs);
            _uffd.Register((ulong)_start, _bytes, UffdRegisterModes.Missing);
            _socket = UnixSocket.Connect(rig.Path);
            MonitorHandshake.Send(_socket, [new GuestRegion((ulong)_start, _bytes, 0, Huge)], _uffd.Fd);
        }

        public byte* At(ulong page) => _start + (page << Page.Shift);

        public void Release() => _uffd.Unregister((ulong)_start, _bytes);

        public bool IsRight(IMemoryImage image, ulong page) => PageCheck.IsRight(image, page, At(page));

        public bool IsZero(ulong page) => PageCheck.IsZero(At(page));

        public void Dispose()
        {
            _socket.Dispose();
            _uffd.Dispose();
            _ = Libc.Unmap(_start, (nuint)_bytes);
        }
    }
}
