using System.Runtime.CompilerServices;

namespace Userfault.Mmu.Tests;

public sealed class RegionLayoutTests
{
    /// <summary>The structure as a C compiler lays it out, written by hand.</summary>
    private static readonly byte[] Golden =
    [
        0x03,
        0x00,
        0x01,
        0x00,
        0x0c,
        0x00,
        0x00,
        0x00, // slot 3 of address space 1, GUEST_MEMFD | USERFAULT
        0x00,
        0x10,
        0x00,
        0x00,
        0x02,
        0x00,
        0x00,
        0x00, // guest_phys_addr 0x2_0000_1000
        0x00,
        0x20,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00, // memory_size 0x2000
        0x00,
        0x30,
        0x00,
        0x00,
        0x00,
        0x7f,
        0x00,
        0x00, // userspace_addr 0x7f00_0000_3000
        0x00,
        0x40,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00, // guest_memfd_offset 0x4000
        0x09,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00, // guest_memfd 9, pad1
        0x08,
        0x50,
        0x00,
        0x00,
        0x00,
        0x7e,
        0x00,
        0x00, // userfault_bitmap 0x7e00_0000_5008
        .. new byte[13 * sizeof(ulong)], // pad2
    ];

    [Fact]
    public void The_structure_has_160_bytes()
    {
        Assert.Equal(160, Unsafe.SizeOf<UserspaceMemoryRegion2>());
        Assert.Equal(160, Golden.Length);
    }

    [Fact]
    public void Fields_are_where_the_kernel_has_them()
    {
        Assert.True(UserspaceMemoryRegion2.TryRead(Golden, out var region));

        Assert.Equal(SlotId.Of(1, 3), region.SlotId);
        Assert.Equal(MemslotFlags.GuestMemfd | MemslotFlags.Userfault, region.MemslotFlags);
        Assert.Equal(0x2_0000_1000UL, region.GuestPhysicalAddress);
        Assert.Equal(0x2000UL, region.MemorySize);
        Assert.Equal(0x7f00_0000_3000UL, region.UserspaceAddress);
        Assert.Equal(0x4000UL, region.GuestMemfdOffset);
        Assert.Equal(9u, region.GuestMemfd);
        Assert.Equal(0x7e00_0000_5008UL, region.UserfaultBitmap);
    }

    [Fact]
    public void Writing_gives_the_same_bytes_back()
    {
        Assert.True(UserspaceMemoryRegion2.TryRead(Golden, out var region));
        var bytes = new byte[UserspaceMemoryRegion2.SizeBytes];
        region.Write(bytes);
        Assert.Equal(Golden, bytes);
    }

    [Fact]
    public void The_older_structure_is_the_first_32_bytes()
    {
        Assert.True(UserspaceMemoryRegion2.TryReadVersion1(Golden.AsSpan(0, 32), out var region));
        Assert.Equal(0x7f00_0000_3000UL, region.UserspaceAddress);
        Assert.Equal(0UL, region.GuestMemfdOffset);
        Assert.Equal(0UL, region.UserfaultBitmap);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    public void Too_few_bytes_are_EFAULT(int length)
    {
        using var vm = new Vm(MmuPolicy.X86, new ModelHostMemory());
        Assert.Equal(Errno.EFAULT, vm.SetUserMemoryRegion(Golden.AsSpan(0, length)));
        Assert.Equal(Errno.EFAULT, vm.SetUserMemoryRegion2(Golden.AsSpan(0, 159)));
    }
}
