using System.Globalization;
using System.Security.Cryptography;
using Userfault.Kernel.Tests.Cases;
using Userfault.Mmu.Tests.Oracle;
using Xunit.Abstractions;

namespace Userfault.Kernel.Tests.Oracle;

/// <summary>
/// Random programs against the real kernel: every call must be answered alike. USERFAULT_ORACLE_SEED runs the program
/// of one seed, USERFAULT_ORACLE_PROGRAMS sets how many fresh ones are run.
/// </summary>
[Collection(KernelCollection.Name)]
public sealed class OracleTests(OracleFixture device, ITestOutputHelper output) : IClassFixture<OracleFixture>
{
    private const int FixedSeeds = 300;
    private const int FreshSeeds = 40;
    private const int SelfSeeds = 30;

    [KernelFact]
    public void The_model_answers_fixed_programs_as_the_kernel_does()
    {
        Skip.If(Setting("SEED") is not null, "one seed was asked for");
        Compare(ModelComparison(), Enumerable.Range(1, FixedSeeds));
    }

    [KernelFact]
    public void The_model_answers_fresh_programs_as_the_kernel_does()
    {
        var comparison = ModelComparison();
        int[] seeds = Setting("SEED") is { } seed
            ? [seed]
            :
            [
                .. Enumerable
                    .Range(0, Setting("PROGRAMS") ?? FreshSeeds)
                    .Select(_ => RandomNumberGenerator.GetInt32(int.MaxValue)),
            ];
        output.WriteLine($"seeds {string.Join(' ', seeds.Take(FreshSeeds))}");
        Compare(comparison, seeds);
    }

    /// <summary>What the kernel answers does not hang on chance: a difference is the model's.</summary>
    [KernelFact]
    public void The_kernel_agrees_with_itself()
    {
        Skip.If(device.Missing.Length != 0, device.Missing);
        using var other = new OracleFixture();
        Compare(new Comparison(device.NewVm, other.NewVm, device.Facts), Enumerable.Range(1, SelfSeeds));
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable($"USERFAULT_ORACLE_{name}") is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : null;

    private Comparison ModelComparison()
    {
        Skip.If(device.Missing.Length != 0, device.Missing);
        return new Comparison(device.NewVm, () => new ModelKvm(device.Layout, device.Facts), device.Facts);
    }

    private void Compare(Comparison comparison, IEnumerable<int> seeds)
    {
        string? finding = null;
        var programs = 0;
        foreach (var seed in seeds)
        {
            programs++;
            finding = Finding.Search(seed, comparison, device.Facts);
            if (finding is not null)
                break;
        }

        output.WriteLine($"{programs} programs, {comparison.Answered.Values.Sum()} calls compared");
        output.WriteLine($"{device.Facts}");
        foreach (var reason in device.Facts.LeftOut())
            output.WriteLine($"left out: {reason}");
        foreach (var (reason, count) in comparison.LeftOut)
            output.WriteLine($"left out {count} times: {reason}");
        foreach (var (kind, count) in comparison.Answered)
            output.WriteLine($"compared {count} times: {kind}");
        foreach (var (feature, count) in comparison.Features)
            output.WriteLine($"tried {count} times: {feature}");
        Assert.True(finding is null, finding);
    }
}
