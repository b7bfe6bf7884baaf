namespace Userfault.Mmu.Tests;

public sealed class MemoryAttributesTests
{
    [Fact]
    public void Private_runs_agree_with_an_array()
    {
        const int Pages = 200;
        var random = new Random(5);
        var naive = new bool[Pages];
        var attributes = MemoryAttributes.AllShared;
        for (var i = 0; i < 20_000; i++)
        {
            var start = random.Next(Pages);
            var count = random.Next(Pages - start);
            var isPrivate = random.Next(2) == 0;
            attributes = attributes.With(Range(start, count), isPrivate);
            naive.AsSpan(start, count).Fill(isPrivate);

            var page = random.Next(Pages);
            Assert.Equal(naive[page], attributes.IsPrivate(new Gfn((ulong)page)));
            var (from, length) = (random.Next(Pages - 8), random.Next(1, 8));
            var run = naive.AsSpan(from, length);
            Assert.Equal(!run.Contains(true) || !run.Contains(false), attributes.IsUniform(Range(from, length)));
            var runs = attributes.PrivateRanges;
            for (var j = 1; j < runs.Length; j++)
                Assert.True(runs[j - 1].End < runs[j].Start);
        }
    }

    [Theory]
    [InlineData(0x1000UL, 0x1000UL, 8UL, 0UL, Errno.None)]
    [InlineData(0x1000UL, 0x1000UL, 0UL, 0UL, Errno.None)]
    [InlineData(0x1000UL, 0x1000UL, 8UL, 1UL, Errno.EINVAL)]
    [InlineData(0x1000UL, 0x1000UL, 1UL, 0UL, Errno.EINVAL)]
    [InlineData(0x1000UL, 0x1000UL, 9UL, 0UL, Errno.EINVAL)]
    [InlineData(0x1000UL, 0UL, 8UL, 0UL, Errno.EINVAL)]
    [InlineData(0x1001UL, 0x1000UL, 8UL, 0UL, Errno.EINVAL)]
    [InlineData(0x1000UL, 0x1001UL, 8UL, 0UL, Errno.EINVAL)]
    [InlineData(0xffff_ffff_ffff_f000UL, 0x2000UL, 8UL, 0UL, Errno.EINVAL)]
    public void Setting_attributes_checks_its_arguments(
        ulong address,
        ulong size,
        ulong attributes,
        ulong flags,
        Errno expected
    )
    {
        using var x86 = new Vm(MmuPolicy.X86, new ModelHostMemory());
        Assert.Equal(expected, x86.SetMemoryAttributes(address, size, attributes, flags));
        using var arm64 = new Vm(MmuPolicy.Arm64, new ModelHostMemory());
        var shared = attributes == 0 ? expected : Errno.EINVAL;
        Assert.Equal(shared, arm64.SetMemoryAttributes(address, size, attributes, flags));
    }

    [Fact]
    public void Converting_a_page_takes_its_mapping_away_and_no_other()
    {
        using var vm = new TestVm(MmuPolicy.X86, MemslotFlags.GuestMemfd, PageLevel.Size4K);
        Assert.True(vm.Write(3).IsCompleted);
        Assert.True(vm.Write(4).IsCompleted);
        Assert.Equal(Errno.None, vm.Vm.SetMemoryAttributes(TestVm.Gpa + 0x3000, 0x1000, MemoryAttributes.PrivateBit));
        Assert.Equal((false, true), (vm.Leaf(3).IsPresent, vm.Leaf(4).IsPresent));

        Assert.Equal(MemoryFaultFlags.None, vm.Write(3).Fault.Flags);
        var result = vm.Access(3, Access.Write, isPrivate: true);
        Assert.True(result.IsCompleted);
        Assert.Equal(new Pfn(0x10_0003), result.Leaf.Pfn);

        Assert.Equal(Errno.None, vm.Vm.SetMemoryAttributes(TestVm.Gpa + 0x3000, 0x1000, 0));
        Assert.Equal(MemoryFaultFlags.Private, vm.Access(3, Access.Write, isPrivate: true).Fault.Flags);
        Assert.Equal(new Pfn((TestVm.Hva >> 12) + 3), vm.Write(3).Leaf.Pfn);
    }

    [Fact]
    public void A_slot_made_later_knows_what_is_private()
    {
        using var vm = new TestVm(MmuPolicy.X86, createsSlot: false);
        Assert.Equal(Errno.None, vm.Vm.SetMemoryAttributes(TestVm.Gpa, 0x1000, MemoryAttributes.PrivateBit));
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(vm.Region(MemslotFlags.GuestMemfd)));
        Assert.True(vm.Access(0, Access.Read, isPrivate: true).IsCompleted);
        Assert.False(vm.Read(0).IsCompleted);
    }

    private static GfnRange Range(int start, int count) => new(new Gfn((ulong)start), (ulong)count);
}
