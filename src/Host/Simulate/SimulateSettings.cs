using Userfault.Simulation;

namespace Userfault.Cli;

/// <summary>Which plans <c>userfault simulate</c> runs, and what it says about them.</summary>
/// <param name="First">The first seed.</param>
/// <param name="Last">The last.</param>
/// <param name="IsClustered">Do all plans have many nodes, or one process? Null leaves it to each seed.</param>
/// <param name="Soak">Time to go on for, from the first seed; null ends with the last.</param>
/// <param name="Scenario">HOCON over every plan; null is none.</param>
/// <param name="ScenarioFile">Its file.</param>
/// <param name="Faults">Faults that plans may have.</param>
/// <param name="PlanFile">Where the shortest failing plan is written.</param>
/// <param name="Outputs">Where the report goes that programs read.</param>
/// <param name="MostFailures">Failures after which it is enough.</param>
/// <param name="ShrinkRuns">Runs to spend on a shorter plan that fails.</param>
internal sealed record SimulateSettings(
    ulong First,
    ulong Last,
    bool? IsClustered,
    TimeSpan? Soak,
    string? Scenario,
    string? ScenarioFile,
    IReadOnlySet<FaultType> Faults,
    string? PlanFile,
    Outputs Outputs,
    int MostFailures,
    int ShrinkRuns
)
{
    /// <summary>Where the report goes that people read.</summary>
    public TextWriter Text => Outputs.JsonIsStandardOutput ? TextWriter.Null : Console.Out;

    /// <summary>The plan of a seed.</summary>
    /// <exception cref="CliException">The scenario does not fit, or not together with what the seed chose.</exception>
    public SwarmPlan PlanOf(ulong seed)
    {
        var plan = IsClustered is { } isClustered
            ? PlanGenerator.Of(seed, Faults, isClustered)
            : PlanGenerator.Of(seed, Faults);
        try
        {
            return Scenario is null ? plan : PlanText.Overlay(plan, Scenario);
        }
        catch (FormatException e)
        {
            throw new CliException($"{ScenarioFile}, over the plan of seed {seed}: {e.Message}");
        }
    }

    /// <summary>The seeds, in order.</summary>
    public IEnumerable<ulong> Seeds(Func<TimeSpan> elapsed)
    {
        for (var seed = First; Soak is { } soak ? elapsed() < soak : seed <= Last; seed++)
        {
            yield return seed;
            if (seed == ulong.MaxValue)
                yield break;
        }
    }

    /// <summary>Is a line to be written about this run? One for each of a few, one in a thousand of many.</summary>
    public bool Tells(SwarmOutcome outcome) =>
        !outcome.Passed || (Soak is null && Last - First < 50) || outcome.Plan.Seed % 1000 == 0;
}
