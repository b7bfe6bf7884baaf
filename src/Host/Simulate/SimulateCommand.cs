using System.CommandLine;
using Userfault.Simulation;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault simulate</c>: runs random clusters, guests and faults in virtual time, a plan a seed, and shrinks what
/// fails to the shortest plan that still does.
/// </summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var options = new SimulateOptions();
        var command = new Command(
            "simulate",
            "Run random guests and faults in virtual time, one plan a seed, under checkers. A file holds a plan, or "
                + "what all plans have in common."
        );
        options.AddTo(command);
        command.SetAction(
            (result, cancelled) => BadInput.Guard(() => Task.FromResult(Run(options.Read(result), cancelled)))
        );
        return command;
    }

    private static int Run(SimulateSettings settings, CancellationToken cancelled)
    {
        var startedNs = TimeProvider.System.GetTimestamp();
        var (runs, failed, messages) = (0L, 0L, 0L);
        var told = new List<SwarmOutcome>();
        foreach (var seed in settings.Seeds(() => TimeProvider.System.GetElapsedTime(startedNs)))
        {
            if (cancelled.IsCancellationRequested)
                break;
            var outcome = SwarmRun.Of(settings.PlanOf(seed));
            runs++;
            messages += outcome.Messages;
            if (settings.Tells(outcome))
            {
                settings.Text.WriteLine(SimulateReport.Line(outcome));
                told.Add(outcome);
            }

            if (outcome.Passed)
                continue;
            failed++;
            SimulateReport.Failure(outcome, settings, cancelled);
            if (failed == settings.MostFailures)
                break;
        }

        var seconds = TimeProvider.System.GetElapsedTime(startedNs).TotalSeconds;
        settings.Text.WriteLine($"{runs} runs, {failed} failed, {messages} messages in {seconds:F1} s");
        settings.Outputs.WriteText(SimulateJson.Of(told, runs, failed, messages, seconds));
        return cancelled.IsCancellationRequested ? ExitCodes.Interrupted
            : failed > 0 ? ExitCodes.Failed
            : ExitCodes.Success;
    }
}
