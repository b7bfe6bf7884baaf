using System.Globalization;
using System.Text.Json;
using Userfault.Simulation;

namespace Userfault.Mutants;

/// <summary>Looks for a deliberate bug by the swarm, seed by seed.</summary>
internal static class SwarmHunt
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly HashSet<FaultType> AllFaults = [.. Enum.GetValues<FaultType>()];

    /// <summary>One of the first seeds finds it by the checker that is named, and passes without it.</summary>
    public static async Task<Finding> FindAsync(MutatedCopy copy, Mutant mutant, Finder.InSwarm finder, CancellationToken cancelled)
    {
        var (child, runs) = await RunAsync(copy, mutant, finder.Plan, $"1..{finder.MaxSeeds}", finder.IsClustered, cancelled);
        if (child.ExitCode is null) return Finding.NotFound("a run did not come to its end");
        if (child.ExitCode == 0) return Finding.NotFound($"no checker complains in {finder.MaxSeeds} seeds");
        if (runs.LastOrDefault(static r => !r.Passed) is not { } failed) return Finding.NotFound(child.Output);
        if (failed.Checker != finder.Checker)
            return Finding.NotFound($"seed {failed.Seed}: found by {failed.Checker}, not by {finder.Checker}: {failed.What}");
        return Without(failed.Seed, finder) is { Violation: { } violation }
            ? Finding.NotFound($"seed {failed.Seed}: the program without it fails as well: {violation}")
            : Finding.Found($"seed {failed.Seed}: {failed.Checker}: {failed.What}");
    }

    /// <summary>Runs seeds from the copy.</summary>
    public static async Task<(Child Child, IReadOnlyList<Run> Runs)> RunAsync(
        MutatedCopy copy, Mutant? mutant, string plan, string seeds, bool isClustered, CancellationToken cancelled)
    {
        var name = $"{mutant?.Id ?? "none"}-{(isClustered ? "many" : "one")}";
        List<string> arguments =
        [
            "simulate", "--seeds", seeds, "--nodes", isClustered ? "many" : "one", "--shrink", "0", "--plan", copy.At($"{name}.failed.hocon"),
            "--json", copy.At($"{name}.json"),
        ];
        if (plan.Length > 0)
        {
            await File.WriteAllTextAsync(copy.At($"{name}.hocon"), plan, cancelled);
            arguments.Add(copy.At($"{name}.hocon"));
        }

        var child = await copy.CommandAsync(mutant, Limit, arguments, cancelled);
        if (!File.Exists(copy.At($"{name}.json"))) return (child, []);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(copy.At($"{name}.json"), cancelled));
        return (child, [.. json.RootElement.GetProperty("told").EnumerateArray().Select(Run.Of)]);
    }

    /// <summary>A seed's run by the program as it is, in this process.</summary>
    public static SwarmOutcome Without(ulong seed, Finder.InSwarm finder)
    {
        var plan = PlanGenerator.Of(seed, AllFaults, finder.IsClustered);
        return SwarmRun.Of(finder.Plan.Length > 0 ? PlanText.Overlay(plan, finder.Plan) : plan);
    }

    /// <summary>A run as the command's report has it.</summary>
    internal sealed record Run(ulong Seed, ulong Hash, bool Passed, string? Checker, string? What)
    {
        public static Run Of(JsonElement run) => new(
            run.GetProperty("seed").GetUInt64(), ulong.Parse(run.GetProperty("hash").GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            run.GetProperty("passed").GetBoolean(), Text(run, "checker"), Text(run, "what"));

        private static string? Text(JsonElement run, string name) => run.TryGetProperty(name, out var value) ? value.GetString() : null;
    }
}
