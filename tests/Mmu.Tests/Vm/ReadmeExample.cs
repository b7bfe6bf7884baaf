namespace Userfault.Mmu.Tests;

/// <summary>The ten lines that README shows to authors of VMMs.</summary>
public sealed class ReadmeExample
{
    [Fact]
    public void A_missing_page_exits_once_and_is_mapped_when_its_bit_is_clear()
    {
        var memory = new ModelHostMemory();
        memory.Map(new Hva(0x7f00_0000_0000), 16 << 20);
        using var missing = UserfaultBitmap.Allocate(4096);
        missing.SetAll();
        using var vm = new Vm(MmuPolicy.X86, memory);
        Assert.Equal(
            Errno.None,
            vm.SetUserMemoryRegion2(
                new UserspaceMemoryRegion2
                {
                    Slot = 0,
                    Flags = (uint)MemslotFlags.Userfault,
                    GuestPhysicalAddress = 0,
                    MemorySize = 16 << 20,
                    UserspaceAddress = 0x7f00_0000_0000,
                    UserfaultBitmap = memory.AddBitmap(missing).Value,
                }
            )
        );

        var run = vm.Access(new VcpuAccess(new Gfn(5), Access.Write)); // KVM_RUN: EFAULT, KVM_EXIT_MEMORY_FAULT
        Assert.True(run is { Errno: Errno.EFAULT, IsUserfaultExit: true, Fault.Gpa.Value: 0x5000 });
        Assert.True(missing.Clear(5)); // its content is in place: clear with release
        Assert.True(vm.Access(new VcpuAccess(new Gfn(5), Access.Write)).IsCompleted);
    }
}
