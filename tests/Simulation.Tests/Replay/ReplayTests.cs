using System.Diagnostics;
using System.Globalization;

namespace Userfault.Simulation.Tests;

/// <summary>
/// One seed gives one hash: in another process, on one core, without AVX2 and without any vector instructions.
/// </summary>
public sealed class ReplayTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static TheoryData<string> All => [.. Scenarios.Replayed];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Separate_processes_agree(string scenario)
    {
        var here = Scenarios.Run(scenario, 11);
        Assert.Equal(here, await Elsewhere(scenario, 11));
        Assert.NotEqual(here, Scenarios.Run(scenario, 12));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Vector_instructions_make_no_difference(string scenario)
    {
        var here = Scenarios.Run(scenario, 13);
        Assert.Equal(here, await Elsewhere(scenario, 13, ("DOTNET_EnableAVX2", "0")));
        if (scenario == "vm")
            Assert.Equal(here, await Elsewhere(scenario, 13, ("DOTNET_EnableHWIntrinsic", "0")));
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public async Task One_core_and_two_make_no_difference(string scenario)
    {
        Skip.IfNot(File.Exists("/usr/bin/taskset"), "no taskset here to pin a process to one core");
        var here = Scenarios.Run(scenario, 14);
        Assert.Equal(
            here,
            await Started("/usr/bin/taskset", ["-c", "0", "dotnet", "exec", Assembly, scenario, "14"], [])
        );
    }

    [Fact]
    public async Task A_run_that_hangs_on_its_process_shows()
    {
        var hashes = new HashSet<ulong>();
        for (var i = 0; i < 3; i++)
            hashes.Add(await Elsewhere("unseeded", 1));
        Assert.True(hashes.Count > 1, "three processes agree on what they cannot agree on");
    }

    private static string Assembly => typeof(ReplayTests).Assembly.Location;

    private static Task<ulong> Elsewhere(
        string scenario,
        ulong seed,
        params (string Name, string Value)[] environment
    ) => Started("dotnet", ["exec", Assembly, scenario, seed.ToString(CultureInfo.InvariantCulture)], environment);

    private static async Task<ulong> Started(string program, string[] args, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var late = new CancellationTokenSource(Patience);
        var (output, error) = (
            process.StandardOutput.ReadToEndAsync(CancellationToken.None),
            process.StandardError.ReadToEndAsync(CancellationToken.None)
        );
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', args)}: {process.ExitCode}, {await error}");
        return ulong.Parse((await output).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
