using System.CommandLine;
using Spectre.Console;
using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault sweep</c>: guests under post-copy on virtual time, over vCPUs, latencies, modes, fetchers and prefetch.
/// </summary>
internal static class SweepCommand
{
    public static Command Create()
    {
        var command = new Command(
            "sweep",
            "Play guests under post-copy on virtual time: paging rate, stall and completion against vCPUs."
        );
        var options = new SweepOptions(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, result, cancelled)));
        return command;
    }

    private static async Task<int> Run(SweepOptions options, ParseResult result, CancellationToken cancelled)
    {
        var outputs = new SweepOutputs(
            result.GetValue(options.Csv),
            result.GetValue(options.Json),
            result.GetValue(options.Html)
        );
        var plan = options.Read(result);
        var results = new SweepResult[plan.Points.Count];
        var answers = new SweepAnswers[plan.Questions.Count];
        try
        {
            WithProgress(
                plan,
                tick =>
                {
                    // Points know nothing of each other, so who plays which first does not matter.
                    var parallel = new ParallelOptions
                    {
                        MaxDegreeOfParallelism = Environment.ProcessorCount,
                        CancellationToken = cancelled,
                    };
                    Parallel.For(
                        0,
                        results.Length,
                        parallel,
                        i =>
                        {
                            results[i] = SweepRun.Of(plan.Points[i]);
                            tick();
                        }
                    );
                    Parallel.For(
                        0,
                        answers.Length,
                        parallel,
                        i =>
                        {
                            answers[i] = SweepAnswers.Of(plan.Questions[i]);
                            tick();
                        }
                    );
                }
            );
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync(
                $"userfault: stopped with {results.Count(static r => r is not null)} of {results.Length} points "
                    + $"played; nothing was written"
            );
            return ExitCodes.Interrupted;
        }

        outputs.Write(SweepCurve.Of(results), answers);
        return ExitCodes.Success;
    }

    // On a terminal a bar; in a log a line each tenth. Both on standard error: standard output belongs to results.
    private static void WithProgress(SweepPlan plan, Action<Action> play)
    {
        var total = plan.Points.Count + plan.Questions.Count;
        if (Console.IsErrorRedirected)
        {
            var done = 0;
            play(() =>
            {
                var now = Interlocked.Increment(ref done);
                if (now * 10 / total != (now - 1) * 10 / total)
                    Console.Error.WriteLine($"{now} of {total} played");
            });
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console
            .Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn()
            )
            .Start(context =>
            {
                var task = context.AddTask(
                    $"{plan.Points.Count} points, {plan.Questions.Count} guests asked about",
                    maxValue: total
                );
                play(() => task.Increment(1));
            });
    }
}
