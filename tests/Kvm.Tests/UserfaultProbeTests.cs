using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Kvm.Tests;

/// <summary>
/// KVM_MEM_USERFAULT is found by what the flag does, on kernels that a test makes up; Kernel.Tests asks the real one.
/// </summary>
public class UserfaultProbeTests
{
    [Fact]
    public void A_kernel_that_takes_the_flag_and_looks_at_the_address_has_it()
    {
        var kernel = new ModelRegionCalls();
        Assert.True(UserfaultProbe.Finds(kernel, 0x10000, 0x20000));
        Assert.Empty(kernel.Slots);
    }

    [Fact]
    public void A_kernel_that_refuses_the_flag_has_it_not()
    {
        var kernel = new ModelRegionCalls { KnownFlags = MemslotFlags.LogDirtyPages | MemslotFlags.Readonly };
        Assert.False(UserfaultProbe.Finds(kernel, 0x10000, 0x20000));
        Assert.Empty(kernel.Slots);
    }

    [Fact]
    public void A_kernel_without_the_call_has_it_not()
    {
        var kernel = new ModelRegionCalls { HasSecondCall = false };
        Assert.False(UserfaultProbe.Finds(kernel, 0x10000, 0x20000));
        Assert.Empty(kernel.Slots);
    }

    /// <summary>
    /// The flag's number was given away: what takes any bitmap is something else, and its slot is deleted again.
    /// </summary>
    [Fact]
    public void A_kernel_that_gave_the_number_to_something_else_has_it_not()
    {
        var kernel = new ModelRegionCalls { LooksAtBitmap = false };
        Assert.False(UserfaultProbe.Finds(kernel, 0x10000, 0x20000));
        Assert.Empty(kernel.Slots);
    }

    private sealed class ModelRegionCalls : IMemoryRegionCalls
    {
        public HashSet<uint> Slots { get; } = [];

        public MemslotFlags KnownFlags { get; init; } =
            MemslotFlags.LogDirtyPages | MemslotFlags.Readonly | MemslotFlags.GuestMemfd | MemslotFlags.Userfault;

        public bool LooksAtBitmap { get; init; } = true;

        public bool HasSecondCall { get; init; } = true;

        public LinuxErrno SetUserMemoryRegion(in UserspaceMemoryRegion2 region) => LinuxErrno.EINVAL;

        public LinuxErrno SetUserMemoryRegion2(in UserspaceMemoryRegion2 region)
        {
            if (!HasSecondCall)
                return LinuxErrno.ENOTTY;
            if (((MemslotFlags)region.Flags & ~KnownFlags) != 0)
                return LinuxErrno.EINVAL;
            var isUserfault = ((MemslotFlags)region.Flags & MemslotFlags.Userfault) != 0;
            if (isUserfault && LooksAtBitmap && region.UserfaultBitmap >> 47 != 0)
                return LinuxErrno.EINVAL;
            if (region.MemorySize == 0)
                return Slots.Remove(region.Slot) ? LinuxErrno.None : LinuxErrno.EINVAL;
            return Slots.Add(region.Slot) ? LinuxErrno.None : LinuxErrno.EEXIST;
        }
    }
}
