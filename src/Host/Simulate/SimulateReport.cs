using Userfault.Simulation;

namespace Userfault.Cli;

/// <summary>What <c>userfault simulate</c> says about runs.</summary>
internal static class SimulateReport
{
    /// <summary>One line about a run.</summary>
    public static string Line(SwarmOutcome outcome)
    {
        var plan = outcome.Plan;
        return $"seed {plan.Seed} hash {outcome.Hash:x16} {(outcome.Passed ? "passed" : "FAILED")}: "
            + $"{PlanText.NameOf(plan.Architecture)} {PlanText.NameOf(plan.Mode)} {PlanText.NameOf(plan.Memory)}, "
            + $"{plan.Vcpus} vCPUs, {plan.Pages} pages, "
            + (
                plan.IsClustered
                    ? $"{plan.SourceNodes}+{plan.FetcherNodes}+{plan.OtherDestinations + 1} nodes, "
                    : $"{plan.Sources} sources, "
            )
            + $"{plan.Faults.Count} faults, {outcome.Messages} messages, {outcome.VirtualNs / 1e6:F3} ms"
            + (outcome.Violation is { } violation ? $"\n  {violation}" : "");
    }

    /// <summary>Shrinks a failing run and says how to see it again.</summary>
    public static void Failure(SwarmOutcome outcome, SimulateSettings settings, CancellationToken cancelled)
    {
        var shortest = PlanShrinker.Shrink(outcome, settings.ShrinkRuns, cancelled);
        var plan = PlanText.Write(shortest.Plan);
        var text = settings.Text;
        text.WriteLine(
            $"shortest plan that fails so ({shortest.Plan.Faults.Count} faults of {outcome.Plan.Faults.Count}): "
                + $"{shortest.Violation}"
        );
        foreach (var line in shortest.Log.TakeLast(5))
            text.WriteLine($"  log {line.ReplaceLineEndings(" ")}");
        text.Write(plan);
        var file = settings.PlanFile!;
        try
        {
            File.WriteAllText(file, plan);
            text.WriteLine($"replay: userfault simulate {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{file}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }
}
