using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// Shared memory whose file is handed over: pages are written into it and mapped, where all of it is allocated.
/// </summary>
[Collection(nameof(OneAtATime))]
public unsafe class MemoryFileTests
{
    private const ulong Bytes = HandlerRig.Pages << Page.Shift;

    /// <summary>Which way pages go, and that every one of them is right.</summary>
    [SkippableTheory]
    [InlineData(MemoryKind.File, 1ul, false)]
    [InlineData(MemoryKind.File, 64ul, false)]
    [InlineData(MemoryKind.File, 64ul, true)]
    [InlineData(MemoryKind.Holes, 64ul, true)]
    [InlineData(MemoryKind.Private, 64ul, true)]
    public void Pages_are_written_into_a_file_that_is_allocated_and_copied_elsewhere(
        MemoryKind kind,
        ulong chunk,
        bool isMapped
    )
    {
        NeedsMinorFaults();
        Here.Ends(() =>
        {
            var pager = new PagerSettings { ChunkPages = chunk, Push = null };
            using var rig = new HandlerRig(o => o with { Pager = pager }, isMapped: isMapped);
            using var vm = rig.Connect(kind);
            for (ulong page = 0; page < HandlerRig.Pages; page += 3)
                Assert.True(vm.IsRight(page), $"page {page}");
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.True(vm.IsRight(page), $"page {page}");
            var counters = Assert.Single(rig.Server.Report()).Counters;
            var all = (long)HandlerRig.Pages;
            Assert.Equal((0, all), (counters.MissingPages, counters.DemandPages));
            Assert.Equal(
                kind == MemoryKind.File ? (0, all) : (all, 0),
                (counters.CopiedPages, counters.ContinuedPages)
            );
            Assert.Equal(
                kind == MemoryKind.File,
                rig.Line(HandlerEvent.Began).EndsWith("file", StringComparison.Ordinal)
            );
        });
    }

    /// <summary>A page that was never fetched, one that was, and what is written after it was given back.</summary>
    [SkippableFact]
    public void What_is_given_back_is_zero_and_belongs_to_the_guest_afterwards()
    {
        NeedsMinorFaults();
        Here.Ends(() =>
        {
            using var rig = new HandlerRig(HandlerRig.PageByPage);
            using var vm = rig.Connect(MemoryKind.File);
            Assert.True(vm.IsRight(8));
            vm.GiveBack(8, 2);
            Assert.True(vm.IsZero(8) && vm.IsZero(9));
            NativeTouch.Write(vm.At(8), 42);
            NativeTouch.Write(vm.At(9), 43);
            Assert.True(vm.IsRight(10));
            Assert.Equal((42ul, 43ul), (NativeTouch.Read(vm.At(8)), NativeTouch.Read(vm.At(9))));
            vm.GiveBack(10, 1);
            Assert.True(vm.IsZero(10));
        });
    }

    /// <summary>
    /// MADV_DONTNEED takes pages of shared memory out of the page tables alone: what the file holds stays the guest's.
    /// </summary>
    [SkippableFact]
    public void What_is_only_unmapped_keeps_what_the_guest_wrote()
    {
        NeedsMinorFaults();
        Here.Ends(() =>
        {
            using var rig = new HandlerRig(HandlerRig.PageByPage);
            using var vm = rig.Connect(MemoryKind.File);
            NativeTouch.Write(vm.At(5), 77);
            vm.Memory.Discard(5 << Page.Shift, Page.Size);
            Assert.Equal(77ul, NativeTouch.Read(vm.At(5)));
        });
    }

    /// <summary>
    /// A process that died between the bit and the mapping of a page: the page is in the file, the guest may have
    /// written to it, and it is mapped as it is. One whose bit is set is written again, half written or not.
    /// </summary>
    [SkippableFact]
    public void A_standby_writes_missing_pages_again_and_no_others()
    {
        NeedsMinorFaults();
        Here.Ends(() =>
        {
            using var rig = new HandlerRig(HandlerRig.PageByPage);
            using var file = Allocated();
            using var memory = MemoryMapping.Of(file, Bytes);
            using var uffd = Open(UffdFeatures.MissingShmem | UffdFeatures.MinorShmem);
            uffd.Register(memory.Address, Bytes, UffdRegisterModes.Missing | UffdRegisterModes.Minor);
            var state = VmState.Create(HandlerRig.Pages, rig.Image.Identity);
            state.Missing.SetAll();
            state.Missing.Clear(3);
            NativeTouch.Write(file, 3 << Page.Shift, 42);
            NativeTouch.Write(file, 4 << Page.Shift, 43);
            var (mine, theirs) = UnixSocket.Pair();
            using var monitor = mine;
            rig.Server.Take(
                new VmDescriptors(
                    7,
                    Userfaultfd.Adopt(uffd.Fd.Duplicate()),
                    new RegionMap([new GuestRegion(memory.Address, Bytes, 0, Page.Size)]),
                    state,
                    theirs,
                    PidFd.Open(Environment.ProcessId),
                    null,
                    file: MemoryFile.Attach(file.Duplicate(), HandlerRig.Pages)
                )
            );
            Assert.Equal(42ul, NativeTouch.Read(memory.Start + (3 << Page.Shift)));
            Assert.True(PageCheck.IsRight(rig.Image, 4, memory.Start + (4 << Page.Shift)));
            Assert.True(PageCheck.IsRight(rig.Image, 5, memory.Start + (5 << Page.Shift)));
        });
    }

    [SkippableTheory]
    [InlineData("short", nameof(ProtocolError.MemoryTooShort))]
    [InlineData("read only", nameof(ProtocolError.MemoryNotWritable))]
    [InlineData("can shrink", nameof(ProtocolError.MemoryCanShrink))]
    [InlineData("no minor faults", nameof(ProtocolError.NoMinorFaults))]
    public void A_file_that_cannot_be_used_is_refused_with_its_reason(string what, string error)
    {
        NeedsMinorFaults();
        using var rig = new HandlerRig(HandlerRig.PageByPage);
        using var whole = Allocated();
        using var unsealed = new OwnedFd(Libc.CreateMemfd("guest", 0));
        Assert.Equal(0, Libc.Truncate(unsealed.Number, (long)Bytes));
        using var few = Memfd.Create("guest", Page.Size);
        using var readOnly = new OwnedFd(Libc.Open($"/proc/self/fd/{whole.Number}", Libc.O_RDONLY, 0));
        using var memory = MemoryMapping.Of(whole, Bytes);
        using var uffd = Open(
            UffdFeatures.MissingShmem | (what == "no minor faults" ? UffdFeatures.None : UffdFeatures.MinorShmem)
        );
        uffd.Register(memory.Address, Bytes, UffdRegisterModes.Missing);
        using var socket = UnixSocket.Connect(rig.Path);
        MonitorHandshake.Send(
            socket,
            [new GuestRegion(memory.Address, Bytes, 0, Page.Size)],
            uffd.Fd,
            what switch
            {
                "short" => few,
                "read only" => readOnly,
                "can shrink" => unsealed,
                _ => whole,
            }
        );
        Assert.Contains($" {error}", rig.Line(HandlerEvent.Refused), StringComparison.Ordinal);
    }

    private static void NeedsMinorFaults()
    {
        Here.NeedsUserfaultfd();
        Skip.IfNot(Userfaultfd.Probe().HasFlag(UffdFeatures.MinorShmem), "no minor faults on shared memory");
    }

    private static OwnedFd Allocated()
    {
        var file = Memfd.Create("guest", Bytes);
        Memfd.Allocate(file, Bytes);
        return file;
    }

    private static Userfaultfd Open(UffdFeatures shmem) => Userfaultfd.Open(UffdFeatures.EventRemove | shmem);
}
