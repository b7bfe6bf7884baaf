using Xunit.Abstractions;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// The harness against the real kernel alone: golden answers, written by hand. Without these a broken harness could
/// agree with the model about nothing.
/// </summary>
public sealed class KernelTests(KvmDevice device, ITestOutputHelper output) : IClassFixture<KvmDevice>
{
    private static readonly HostAddress Memory = new(HostArea.Writable, 0);

    [SkippableFact]
    public void The_guest_reads_and_writes_memory_and_the_log_tells()
    {
        using var vm = NewVm();
        Expect(vm, Region(1, 0x10_0000, 0x8000, Memory, RegionFlags.LogDirtyPages), "0");
        Expect(vm, new KvmCall.Run(Access.Write, 0x10_3008, 8, 0x1122_3344_5566_7788), "0");
        Expect(vm, new KvmCall.GetDirtyLog(1), "0 dirty [8]");
        Expect(vm, new KvmCall.GetDirtyLog(1), "0 dirty [0]");
        Expect(vm, new KvmCall.Run(Access.Read, 0x10_3008, 4, 0), "0 value 0x55667788");
        Expect(vm, new KvmCall.GetDirtyLog(1), "0 dirty [0]");

        // A read of a page that is not mapped maps it writable, and what is mapped writable counts as dirty.
        Expect(vm, new KvmCall.Run(Access.Read, 0x10_1010, 8, 0), "0 value 0x5eed000010100000");
        Expect(vm, new KvmCall.Run(Access.Execute, 0x10_2ff0, 1, 0), "0");
        Expect(vm, new KvmCall.GetDirtyLog(1), "0 dirty [6]");
    }

    [SkippableFact]
    public void Exits_are_told_from_accesses()
    {
        using var vm = NewVm();
        Expect(vm, Region(1, 0x10_0000, 0x1000, Memory, RegionFlags.ReadOnly), "0");
        Expect(vm, Region(2, 0x20_0000, 0x1000, new HostAddress(HostArea.Hole, 0), 0), "0");
        Expect(vm, new KvmCall.Run(Access.Read, 0x10_0000, 8, 0), "0 value 0x5eed000000000000");
        Expect(vm, new KvmCall.Run(Access.Write, 0x10_0010, 4, 7), "0 Mmio gpa 0x100010 detail 0x104");
        Expect(vm, new KvmCall.Run(Access.Read, 0x30_0020, 2, 0), "0 value 0x20 Mmio gpa 0x300020 detail 0x2");
        Assert.Equal((int)Errno.EFAULT, vm.Do(new KvmCall.Run(Access.Read, 0x20_0000, 8, 0)).Errno);
    }

    [SkippableFact]
    public void Facts_of_this_kernel()
    {
        Skip.If(device.Missing.Length != 0, device.Missing);
        output.WriteLine($"{device.Facts}");
        foreach (var line in device.Facts.LeftOut())
            output.WriteLine($"left out: {line}");
        Assert.InRange(device.Facts.PhysicalAddressBits, 36, 52);
        Assert.InRange(device.Facts.AddressSpaces, 1, 2);
        Assert.True(device.Facts.UserSlots > 500);
    }

    private static KvmCall.SetRegion Region(uint slot, ulong gpa, ulong size, HostAddress hva, uint flags) =>
        new(false, slot, flags, gpa, size, hva, MemfdKind.Own, 0, default);

    private static void Expect(KernelKvm vm, KvmCall call, string answer) =>
        Assert.Equal(answer, vm.Do(call).ToString());

    private KernelKvm NewVm()
    {
        Skip.If(device.Missing.Length != 0, device.Missing);
        return device.NewVm();
    }
}
