using System.Diagnostics;
using System.Text.Json;
using Userfault.Tests;

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
        Assert.Equal(first, await Runs(Environment.ProcessorCount > 1 ? "0,1" : "0"));
        Assert.Equal(first, await Runs("0", ("DOTNET_EnableAVX2", "0"), ("DOTNET_EnableAVX512F", "0")));
    }

    [Fact]
    public async Task A_failure_is_shrunk_and_its_plan_fails_alike()
    {
        using var folder = new TemporaryFolder();
        var plan = folder.At("plan.hocon");
        var scenario = folder.Write("scenario.hocon", "latency-ns = 1000000000\n");
        var failed = await CommandLine.Run(
            "simulate",
            scenario,
            "--seeds",
            "1..50",
            "--nodes",
            "one",
            "--shrink",
            "20",
            "--plan",
            plan,
            "--json",
            folder.At("runs.json")
        );
        Assert.Equal(1, failed.ExitCode);
        using var runs = JsonDocument.Parse(await File.ReadAllTextAsync(folder.At("runs.json")));
        Assert.Equal(1, runs.RootElement.GetProperty("failed").GetInt32());
        Assert.Equal(
            "progress",
            runs.RootElement.GetProperty("told").EnumerateArray().Last().GetProperty("checker").GetString()
        );
        var again = await CommandLine.Run("simulate", plan, "--shrink", "0", "--plan", plan + ".again");
        Assert.Equal(1, again.ExitCode);
        Assert.Equal(await File.ReadAllTextAsync(plan), await File.ReadAllTextAsync(plan + ".again"));
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
    public async Task Json_on_standard_output_is_all_there_is()
    {
        var run = await CommandLine.Run([.. Few, "--json", "-"]);
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var told = json.RootElement.GetProperty("told").EnumerateArray().ToList();
        Assert.Equal([3, 4, 5, 6], told.Select(t => t.GetProperty("seed").GetInt32()));
        Assert.All(told, t => Assert.True(t.GetProperty("passed").GetBoolean()));
    }

    [Fact]
    public async Task A_bad_scenario_is_one_line_with_its_key()
    {
        using var folder = new TemporaryFolder();
        (await CommandLine.Run("simulate", folder.Write("s.hocon", "vcpus = many\n"u8.ToArray()))).IsBadInput(
            "s.hocon",
            "vcpus",
            "many"
        );
    }

    /// <summary>What fits one seed's plan may contradict another's.</summary>
    [Fact]
    public async Task A_scenario_that_contradicts_a_seeds_plan_is_one_line_with_that_seed()
    {
        using var folder = new TemporaryFolder();
        var scenario = folder.Write("s.hocon", "arch = arm64\n"u8.ToArray());
        var run = await CommandLine.Run("simulate", "--seeds", "1..100", scenario);
        run.IsBadInput("s.hocon", "seed", "guest-memfd");
    }

    private static async Task<string[]> Runs(string cores, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("/usr/bin/taskset") { RedirectStandardOutput = true };
        foreach (var arg in (string[])["-c", cores, "dotnet", "exec", CommandLine.Assembly, .. Few])
            start.ArgumentList.Add(arg);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return [.. output.Split('\n').Where(l => l.StartsWith("seed ", StringComparison.Ordinal))];
    }
}
