using System.Diagnostics;

namespace Userfault.Host.Tests;

/// <summary><c>userfault simulate</c> as a process.</summary>
public sealed class SimulateTests
{
    private static readonly string[] Few = ["simulate", "--seeds", "3..6"];

    [SkippableFact]
    public async Task A_seed_prints_the_same_hashes_in_any_process()
    {
        Skip.IfNot(File.Exists("/usr/bin/taskset"), "no taskset here to pin processes with");
        var first = await Runs("0");
        Assert.Equal(4, first.Length);
        Assert.All(first, l => Assert.Contains(" passed: ", l, StringComparison.Ordinal));
        Assert.Equal(first, await Runs(Environment.ProcessorCount > 1 ? "0,1" : "0"));
        Assert.Equal(first, await Runs("0", ("DOTNET_EnableAVX2", "0"), ("DOTNET_EnableAVX512F", "0")));
    }

    [Fact]
    public async Task A_failure_is_shrunk_and_its_plan_fails_alike()
    {
        using var folder = new TemporaryFolder();
        var plan = folder.At("plan.hocon");
        var failed = await CommandLine.Run("simulate", "--seeds", "1..50", "--mutation", "clear-before-content", "--shrink", "20", "--plan", plan);
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("FAILED", failed.Output, StringComparison.Ordinal);
        Assert.Contains($"replay: userfault simulate {plan}", failed.Output, StringComparison.Ordinal);
        var again = await CommandLine.Run("simulate", plan, "--shrink", "0", "--plan", plan + ".again");
        Assert.Equal(1, again.ExitCode);
        Assert.Equal(await File.ReadAllTextAsync(plan), await File.ReadAllTextAsync(plan + ".again"));
        Assert.DoesNotContain("--mutation", (await CommandLine.Run("simulate", "--help")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seed: ", "--seed", "x")]
    [InlineData("--seeds: ", "--seeds", "5..1")]
    [InlineData("--seeds: ", "--seeds", "7")]
    [InlineData("--seed: ", "--seed", "1", "--seeds", "1..2")]
    [InlineData("--faults: ", "--faults", "rain")]
    [InlineData("--soak: ", "--soak", "for a while")]
    [InlineData("/no/such/plan", "/no/such/plan")]
    public async Task Bad_input_is_one_line(string expected, params string[] args) =>
        (await CommandLine.Run(["simulate", .. args])).IsBadInput(expected.Split(": ")[0]);

    [Fact]
    public async Task A_bad_scenario_is_one_line_with_its_key()
    {
        using var folder = new TemporaryFolder();
        (await CommandLine.Run("simulate", folder.Write("s.hocon", "vcpus = many\n"u8.ToArray()))).IsBadInput("s.hocon", "vcpus", "many");
    }

    private static async Task<string[]> Runs(string cores, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("/usr/bin/taskset") { RedirectStandardOutput = true };
        foreach (var arg in (string[])["-c", cores, "dotnet", "exec", CommandLine.Assembly, .. Few]) start.ArgumentList.Add(arg);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return [.. output.Split('\n').Where(l => l.StartsWith("seed ", StringComparison.Ordinal))];
    }
}
