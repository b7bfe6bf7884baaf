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

    private static void Expect(IKvm vm, string name)
    {
        foreach (var (call, answer) in GoldenProgram.All.Single(program => program.Name == name).Steps)
            Assert.Equal($"{call} -> {answer}", $"{call} -> {vm.Do(call)}");
    }
}
