using Userfault.Linux;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>What nobody foresaw, and what has nothing to do with a guest, costs no other VM anything.</summary>
[Collection(nameof(OneAtATime))]
public unsafe class UnforeseenTests
{
    [SkippableFact]
    public void A_mistake_in_serving_one_vm_ends_that_vm_alone()
    {
        Here.NeedsUserfaultfd();
        using var image = new BrokenImage(HandlerRig.Pages, broken: 7);
        using var supply = new PageSupply(image);
        using var rig = new HandlerRig(HandlerRig.PageByPage, supply);
        using var good = rig.Connect();
        using var bad = rig.Connect();
        Assert.True(good.IsRight(3));
        var at = bad.At(7);
        var toucher = new Thread(() => NativeTouch.Read(at)) { IsBackground = true };
        toucher.Start();
        Assert.Contains("InvalidTimeZoneException: page 7", rig.Line(HandlerEvent.Failed), StringComparison.Ordinal);
        bad.Uffd.Unregister(bad.Memory.Address, bad.Memory.Bytes);
        toucher.Join();
        Assert.True(good.IsRight(200));
    }

    [SkippableFact]
    public void A_record_that_cannot_be_written_is_said_and_stops_nobody()
    {
        Here.NeedsUserfaultfd();
        using var image = new SyntheticImage(new SyntheticSettings(HandlerRig.Pages));
        using var supply = new PageSupply(image) { RecordTo = "/proc/no such folder/set" };
        using var rig = new HandlerRig(supply: supply);
        using (var vm = rig.Connect())
        {
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.True(vm.IsRight(page));
        }
        rig.Line("/proc/no such folder/set");
        rig.Line(HandlerEvent.Ended);
        Assert.Equal(PagerEnd.MonitorGone, rig.Server.Report().Single().End);
        Assert.Contains("/proc/no such folder/set", supply.RecordProblem, StringComparison.Ordinal);
    }

    // Holds what any image of its size does, but for one page.
    private sealed class BrokenImage(ulong pages, ulong broken) : IMemoryImage
    {
        private readonly SyntheticImage _image = new(new SyntheticSettings(pages));

        public string Name => "broken";

        public ImageKind Kind => _image.Kind;

        public ulong Pages => _image.Pages;

        public ImageIdentity Identity => _image.Identity;

        public byte* Read(MemoryPage memoryPage, byte* scratch) =>
            memoryPage.Value == broken
                ? throw new InvalidTimeZoneException($"page {memoryPage.Value}")
                : _image.Read(memoryPage, scratch);

        public void Dispose() => _image.Dispose();
    }
}
