using Akka.Actor;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors.Tests.Vcpus;

/// <summary>A vCPU by itself: hits inline, one fault outstanding, every read checked.</summary>
public sealed class VcpuCoreTests : IDisposable
{
    private const Access R = Access.Read;
    private const Access W = Access.Write;
    private readonly Guest _guest = new(64);
    private readonly HostMapping _host;
    private readonly MemslotCore _slot;
    private readonly GuestSpace _space = new(new TableReaders());

    public VcpuCoreTests()
    {
        _host = new HostMapping(MemoryKind.Anonymous, _guest.Memory.Base, 64, UffdModes.None);
        var id = SlotId.Of(0, 0);
        var range = new GfnRange(new Gfn(0), 64);
        _slot = new MemslotCore(
            new Memslot(id, range, _guest.Memory.Base, MemslotFlags.None),
            MmuPolicy.X86,
            _host,
            new TableOptions { Readers = _space.Readers }
        );
        _space.Publish([new SlotView(id, range, _slot, ActorRefs.Nobody)]);
    }

    public void Dispose()
    {
        _slot.Dispose();
        _host.Dispose();
        _guest.Dispose();
    }

    [Fact]
    public void It_stops_at_the_first_access_that_leaves_the_guest_and_makes_it_again()
    {
        Place(1, 2);
        using var core = New([(1, R), (1, W), (2, R)]);
        Assert.Equal(SliceEnd.Fault, core.Run(100));
        Assert.Equal((new VcpuAccess(new Gfn(1), R), SlotId.Of(0, 0)), (core.PendingFault, core.FaultingSlot!.Id));
        Assert.Throws<InvalidOperationException>(() => core.Run(100));

        Assert.Equal(FaultKind.Mapped, _slot.Fault(core.PendingFault).Kind);
        core.Resume(130);
        // The write goes through the leaf that the read installed.
        Assert.Equal(SliceEnd.Fault, core.Run(130));
        Assert.Equal(new VcpuAccess(new Gfn(2), R), core.PendingFault);
        _slot.Fault(core.PendingFault);
        core.Resume(150);
        Assert.Equal(SliceEnd.Finished, core.Run(150));

        var report = core.Report();
        Assert.Equal(
            (3L, 2L, 1L, 0L, 2L, 50L, 150L),
            (
                report.Accesses,
                report.Reads,
                report.Writes,
                report.WrongReads,
                report.Faults,
                report.StallNs,
                report.FinishedNs
            )
        );
        Assert.Throws<InvalidOperationException>(() => core.Resume(160));
    }

    [Fact]
    public void A_slice_is_bounded()
    {
        Place(1);
        _slot.Fault(new VcpuAccess(new Gfn(1), R));
        using var core = New([(1, R), (1, R), (1, R)], new VcpuSettings { SliceAccesses = 2 });
        Assert.Equal(SliceEnd.BudgetUsed, core.Run(0));
        Assert.Equal(SliceEnd.Finished, core.Run(0));
        Assert.Equal(SliceEnd.Finished, core.Run(0));
    }

    [Fact]
    public void Where_no_memory_is_it_goes_on_behind_the_access()
    {
        using var core = New([(100, R)]);
        Assert.Equal(SliceEnd.Fault, core.Run(0));
        Assert.Null(core.FaultingSlot);
        core.ResumeBehind(5);
        Assert.Equal(SliceEnd.Finished, core.Run(5));
        Assert.Equal(
            (0L, 1L, 1L),
            core.Report() is var report ? (report.Accesses, report.Mmio, report.Faults) : default
        );
    }

    [Fact]
    public void A_read_of_wrong_content_is_counted()
    {
        // Never placed: the host gives zeros, and the image has none at this page.
        using var core = New([(FirstWithContent(), R)]);
        Assert.Equal(SliceEnd.Fault, core.Run(0));
        _slot.Fault(core.PendingFault);
        core.Resume(0);
        Assert.Equal(SliceEnd.Finished, core.Run(0));
        Assert.Equal(1, core.Report().WrongReads);
    }

    [Fact]
    public void A_translation_is_cached_until_it_is_flushed()
    {
        Place(1);
        _slot.Fault(new VcpuAccess(new Gfn(1), R));
        using var core = New([(1, R), (1, R), (1, R)], new VcpuSettings { SliceAccesses = 1 });
        Assert.Equal(SliceEnd.BudgetUsed, core.Run(0));
        _slot.BeginZap();
        while (_slot.HasWork)
            _slot.Work(64);
        Assert.Equal(SliceEnd.BudgetUsed, core.Run(0));
        core.Flush(new GfnRange(new Gfn(0), 64));
        Assert.Equal(SliceEnd.Fault, core.Run(0));
    }

    private VcpuCore New((ulong, Access)[] accesses, VcpuSettings? settings = null) =>
        new(
            0,
            settings ?? new VcpuSettings(),
            new ScriptedWorkload(64, accesses).Open(0),
            _space,
            _guest.Content,
            MmuPolicy.X86
        );

    private unsafe ulong FirstWithContent()
    {
        var scratch = stackalloc byte[(int)Page.Size];
        for (ulong page = 0; page < 64; page++)
        {
            var bytes = _guest.Image.Read(new MemoryPage(page), scratch);
            if (bytes != null && *(ulong*)bytes != 0)
                return page;
        }

        throw new InvalidOperationException("an image of zeros");
    }

    private unsafe void Place(params ulong[] pages)
    {
        var scratch = stackalloc byte[(int)Page.Size];
        foreach (var page in pages)
        {
            var bytes = _guest.Image.Read(new MemoryPage(page), scratch);
            var content =
                bytes == null ? PageContent.Zero(new MemoryPage(page)) : PageContent.Of(new MemoryPage(page), bytes);
            Assert.Equal(Errno.None, _host.Populate(content, _guest.Memory));
        }
    }
}
