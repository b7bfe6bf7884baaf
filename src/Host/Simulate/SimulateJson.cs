using System.Text.Json;
using Userfault.Simulation;

namespace Userfault.Cli;

/// <summary>Simulated runs as one JSON object, whose fields are never renamed. Units stand in the names.</summary>
internal static class SimulateJson
{
    /// <summary>The report.</summary>
    /// <param name="told">The runs that a line was written about, those that failed among them.</param>
    /// <param name="runs">How many there were.</param>
    /// <param name="failed">How many failed.</param>
    /// <param name="messages">Messages that actors took in all of them.</param>
    /// <param name="seconds">Real time that they took.</param>
    public static string Of(IEnumerable<SwarmOutcome> told, long runs, long failed, long messages, double seconds) =>
        JsonSerializer.Serialize(
            new
            {
                Runs = runs,
                Failed = failed,
                Messages = messages,
                Seconds = seconds,
                Told = told.Select(Run),
            },
            JsonReport.Options
        );

    private static object Run(SwarmOutcome outcome) =>
        new
        {
            outcome.Plan.Seed,
            // As text: a JSON number is a double in most programs.
            Hash = outcome.Hash.ToString("x16"),
            outcome.Passed,
            outcome.Violation?.Checker,
            outcome.Violation?.What,
            outcome.Violation?.AtNs,
            outcome.VirtualNs,
        };
}
