namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// The golden programs, on the model; Kernel.Tests runs them on the kernel. Without these a broken harness could agree
/// with the model about nothing.
/// </summary>
public sealed class GoldenProgramTests
{
    public static TheoryData<string> Names => new(GoldenProgram.All.Select(program => program.Name));

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void The_model_answers_as_written(string name)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the host memory is mapped by Linux calls");
        using var layout = new HostLayout();
        using var vm = new ModelKvm(layout, KernelFacts.Typical);
        Expect(vm, name);
    }

    public static TheoryData<string> NamesOfKernels => new(GoldenProgramOfKernel.All.Select(golden => $"{golden}"));

    /// <summary>Those that some kernels answer, on a model and a second one that are such a kernel.</summary>
    [SkippableTheory]
    [MemberData(nameof(NamesOfKernels))]
    public void The_model_answers_as_its_kernel_does(string name)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the host memory is mapped by Linux calls");
        var golden = GoldenProgramOfKernel.All.Single(golden => golden.Program.Name == name);
        Assert.True(golden.IsFor(golden.Facts));
        using var layout = new HostLayout();
        using var vm = new ModelKvm(layout, golden.Facts);
        Expect(vm, golden.Program);
        using var naive = new NaiveKvm(layout, golden.Facts);
        Expect(naive, golden.Program);
    }

    private static void Expect(IKvm vm, string name) =>
        Expect(vm, GoldenProgram.All.Single(program => program.Name == name));

    private static void Expect(IKvm vm, GoldenProgram program)
    {
        foreach (var (call, answer) in program.Steps)
            Assert.Equal($"{call} -> {answer}", $"{call} -> {vm.Do(call)}");
    }
}
