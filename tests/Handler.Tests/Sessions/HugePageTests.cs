using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>Guest memory of 2 MiB pages, as Firecracker's <c>huge_pages: 2M</c> hands it over.</summary>
[Collection(nameof(OneAtATime))]
public unsafe class HugePageTests
{
    private const ulong Count = 4;
    private const ulong Pages = Count * 512;

    [SkippableTheory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void A_fault_brings_its_huge_page_and_what_is_given_back_is_zero(bool isFile, bool push)
    {
        Here.NeedsUserfaultfd();
        using var reserved = HugePages.Take((int)Count + 2);
        using var folder = new TemporaryFolder();
        using var image = isFile ? OfFile(folder.At("image")) : new SyntheticImage(new SyntheticSettings(Pages));
        using var supply = new PageSupply(image);
        using var rig = new HandlerRig(
            o => o with { Pager = new PagerSettings { Push = push ? PushOrderKind.Sequential : null } },
            supply
        );
        Serve(rig, image, push);
    }

    private static void Serve(HandlerRig rig, IMemoryImage image, bool push)
    {
        using var memory = MemoryMapping.OfHugePages(Pages << Page.Shift);
        using var uffd = Userfaultfd.Open(UffdFeatures.EventRemove | UffdFeatures.MissingHugetlbfs);
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);
        using var socket = UnixSocket.Connect(rig.Path);
        MonitorHandshake.Send(
            socket,
            [new GuestRegion(memory.Address, memory.Bytes, 0, RegionList.HugePageBytes)],
            uffd.Fd
        );
        // From the end, and in the middle of each.
        for (var huge = Count; huge-- > 0; )
            Assert.True(IsRight(image, memory, (huge * 512) + 77), $"huge page {huge}");
        for (ulong page = 0; page < Pages; page++)
            Assert.True(IsRight(image, memory, page), $"page {page}");
        memory.Discard(RegionList.HugePageBytes, RegionList.HugePageBytes);
        var zeros = stackalloc byte[Page.Size];
        new Span<byte>(zeros, Page.Size).Clear();
        for (ulong page = 512; page < 1024; page++)
            Assert.True(NativeTouch.Equal(memory.Start + (page << Page.Shift), zeros, Page.Size), $"page {page}");
        Assert.True(IsRight(image, memory, 1024));
        var counters = Assert.Single(rig.Server.Report()).Counters;
        Assert.Equal((long)Pages, counters.DemandPages + counters.BackgroundPages);
        Assert.Equal((0, 512, 1), (counters.MissingPages, counters.RemovedPages, counters.RemovedTouched));
        if (!push)
            Assert.Equal((long)Count + 1, counters.Faults);
    }

    private static IMemoryImage OfFile(string path)
    {
        var bytes = new byte[Pages << Page.Shift];
        // A page in five holds its number, the others are zeros.
        for (ulong page = 0; page < Pages; page += 5)
            BitConverter.TryWriteBytes(bytes.AsSpan((int)(page << Page.Shift)), page + 1);
        File.WriteAllBytes(path, bytes);
        return MemoryImages.Open(path);
    }

    private static bool IsRight(IMemoryImage image, MemoryMapping memory, ulong page)
    {
        var scratch = stackalloc byte[2 * Page.Size];
        new Span<byte>(scratch, Page.Size).Clear();
        var expected = image.Read(new MemoryPage(page), scratch + Page.Size);
        return NativeTouch.Equal(memory.Start + (page << Page.Shift), expected == null ? scratch : expected, Page.Size);
    }
}
