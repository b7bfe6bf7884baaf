using Userfault.Kernel.Tests.Cases;
using Userfault.Mmu;
using Userfault.Mmu.Tests.Oracle;
using Xunit.Abstractions;

namespace Userfault.Kernel.Tests.Oracle;

/// <summary>
/// The golden programs on the kernel: without these a broken harness could agree with the model about nothing.
/// </summary>
[Collection(KernelCollection.Name)]
public sealed class GoldenProgramTests(OracleFixture device, ITestOutputHelper output) : IClassFixture<OracleFixture>
{
    public static TheoryData<string> Names => new(GoldenProgram.All.Select(program => program.Name));

    [KernelTheory]
    [MemberData(nameof(Names))]
    public void The_kernel_answers_as_written(string name)
    {
        Skip.If(device.Missing.Length != 0, device.Missing);
        using var vm = device.NewVm();
        Expect(vm, name);
    }

    /// <summary>Those that only some kernels answer: all for kernels with this one's facts.</summary>
    [KernelFact]
    public void The_kernel_answers_as_kernels_with_its_facts()
    {
        Skip.If(device.Missing.Length != 0, device.Missing);
        foreach (var golden in GoldenProgramOfKernel.All.Where(golden => golden.IsFor(device.Facts)))
        {
            output.WriteLine(golden.Program.Name);
            using var vm = device.NewVm();
            Expect(vm, golden.Program);
        }
    }

    [KernelFact]
    public void A_host_page_that_cannot_be_had_is_an_EFAULT()
    {
        Skip.If(device.Missing.Length != 0, device.Missing);
        using var vm = device.NewVm();
        var hole = new HostAddress(HostArea.Hole, 0);
        Assert.Equal(
            0,
            vm.Do(new KvmCall.SetRegion(false, 2, 0, 0x20_0000, 0x1000, hole, MemfdKind.Own, 0, default)).Errno
        );
        Assert.Equal((int)Errno.EFAULT, vm.Do(new KvmCall.Run(Access.Read, 0x20_0000, 8, 0)).Errno);
    }

    [KernelFact]
    public void A_guest_that_never_ends_is_stopped()
    {
        Skip.If(device.Missing.Length != 0, device.Missing);
        using var vm = device.NewVm(TimeSpan.FromMilliseconds(100));
        const ulong gpa = 0x20_0000,
            jumpToItself = 0xfeeb;
        var memory = new HostAddress(HostArea.Writable, 0);
        vm.Do(new KvmCall.SetRegion(false, 2, 0, gpa, 0x1000, memory, MemfdKind.Own, 0, default));
        Assert.Equal(0, vm.Do(new KvmCall.Run(Access.Write, gpa, 2, jumpToItself)).Errno);
        Assert.Equal((int)Errno.EINTR, vm.Do(new KvmCall.Run(Access.Execute, gpa, 1, 0)).Errno);
    }

    private static void Expect(IKvm vm, string name) =>
        Expect(vm, GoldenProgram.All.Single(program => program.Name == name));

    private static void Expect(IKvm vm, GoldenProgram program)
    {
        foreach (var (call, answer) in program.Steps)
            Assert.Equal($"{call} -> {answer}", $"{call} -> {vm.Do(call)}");
    }
}
