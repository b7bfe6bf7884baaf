using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// Faults of other kinds than a missing page: they are answered by what they are, and never for ever.
/// </summary>
[Collection(nameof(OneAtATime))]
public unsafe class FaultKindTests
{
    private static HandlerRig Rig() => new(HandlerRig.PageByPage);

    [SkippableFact]
    public void A_write_to_a_page_that_the_monitor_protects_goes_through()
    {
        Here.NeedsUserfaultfd();
        Skip.IfNot(Userfaultfd.Probe().HasFlag(UffdFeatures.PagefaultFlagWp), "no write protection in this kernel");
        Here.Ends(() =>
        {
            using var rig = Rig();
            using var vm = rig.Connect(UffdFeatures.EventRemove | UffdFeatures.PagefaultFlagWp);
            vm.Uffd.Register(vm.Memory.Address, vm.Memory.Bytes, UffdRegisterModes.Missing | UffdRegisterModes.Wp);
            Assert.True(vm.IsRight(3) && vm.IsRight(4));
            Assert.Equal(LinuxErrno.None, vm.Uffd.WriteProtect(vm.Memory.Address, vm.Memory.Bytes, isProtected: true));
            NativeTouch.Write(vm.At(3), 42);
            NativeTouch.Write(vm.At(4), 43);
            rig.Line(HandlerEvent.WriteProtected);
            Assert.Equal((42ul, 43ul), (NativeTouch.Read(vm.At(3)), NativeTouch.Read(vm.At(4))));
            var counters = rig.Server.Report()[0].Counters;
            Assert.Equal((4, 2), (counters.Faults, counters.WriteProtectedFaults));
            Assert.False(rig.HasLine(HandlerEvent.WriteProtected));
        });
    }

    /// <summary>
    /// Where pages are protected that are not there, UFFDIO_ZEROPAGE answers EEXIST for them, and nothing is there.
    /// </summary>
    [SkippableFact]
    public void A_page_of_zeros_comes_to_where_a_page_was_protected_that_is_not_there()
    {
        Here.NeedsUserfaultfd();
        Skip.IfNot(Userfaultfd.Probe().HasFlag(UffdFeatures.WpUnpopulated), "no such protection in this kernel");
        Here.Ends(() =>
        {
            using var rig = Rig();
            using var vm = rig.Connect(
                UffdFeatures.EventRemove | UffdFeatures.PagefaultFlagWp | UffdFeatures.WpUnpopulated
            );
            vm.Uffd.Register(vm.Memory.Address, vm.Memory.Bytes, UffdRegisterModes.Missing | UffdRegisterModes.Wp);
            Assert.Equal(LinuxErrno.None, vm.Uffd.WriteProtect(vm.Memory.Address, vm.Memory.Bytes, isProtected: true));
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.True(vm.IsRight(page), $"page {page}");
            var counters = rig.Server.Report()[0].Counters;
            Assert.Equal(
                ((long)HandlerRig.Pages, 0, (long)HandlerRig.Pages),
                (counters.Faults, counters.MissingPages, counters.DemandPages)
            );
        });
    }

    /// <summary>What somebody else wrote into the file of shared memory is there, and only has to be mapped.</summary>
    [SkippableFact]
    public void A_page_of_the_page_cache_is_mapped_in_the_main_form()
    {
        Here.NeedsUserfaultfd();
        Skip.IfNot(Userfaultfd.Probe().HasFlag(UffdFeatures.MinorShmem), "no minor faults on shared memory");
        Here.Ends(() =>
        {
            using var rig = Rig();
            const ulong bytes = HandlerRig.Pages << Page.Shift;
            using var file = Memfd.Create("guest", bytes);
            using var memory = MemoryMapping.Of(file, bytes);
            using var uffd = Userfaultfd.Open(
                UffdFeatures.EventRemove | UffdFeatures.MissingShmem | UffdFeatures.MinorShmem
            );
            uffd.Register(memory.Address, bytes, UffdRegisterModes.Missing | UffdRegisterModes.Minor);
            NativeTouch.Write(file, 5 << Page.Shift, 77);
            using var socket = UnixSocket.Connect(rig.Path);
            MonitorHandshake.Send(socket, [new GuestRegion(memory.Address, bytes, 0, Page.Size)], uffd.Fd);
            Assert.Equal(77ul, NativeTouch.Read(memory.Start + (5 << Page.Shift)));
            NativeTouch.Read(memory.Start + (6 << Page.Shift));
            var counters = Assert.Single(rig.Server.Report()).Counters;
            Assert.Equal((2, (long)HandlerRig.Pages - 2), (counters.Faults, counters.MissingPages));
        });
    }
}
