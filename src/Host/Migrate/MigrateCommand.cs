using System.CommandLine;

namespace Userfault.Cli;

/// <summary><c>userfault migrate</c>: one process, a VM's post-copy migration from start to verified end.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var command = new Command("migrate", "Migrate a guest's memory by post-copy, in this process. Without options: the sample trace.");
        var options = new MigrateOptions();
        options.AddTo(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, result, cancelled)));
        return command;
    }

    private static async Task<int> Run(MigrateOptions options, ParseResult result, CancellationToken cancelled)
    {
        var settings = options.LoadSettings(result);
        var migration = MigrateOptions.ToMigration(settings);
        var link = MigrateOptions.LinkOf(settings);
        var outputs = new Outputs(
            result.GetValue(options.Json), result.GetValue(options.Html), result.GetValue(options.Record));
        using var inputs = RunInputs.Open(options, result, settings);

        var view = ProgressView.Create(outputs.JsonIsStandardOutput);
        view.Begin(inputs, migration, link);
        await using var run = new MigrationRun(settings, inputs, migration, link, outputs.RecordsWorkingSet);
        var report = await run.Run(view.Show, cancelled);
        view.End();

        ReportTable.Write(report, view.Output);
        outputs.Write(report);
        return cancelled.IsCancellationRequested ? ExitCodes.Interrupted
            : report.IsVerified ? ExitCodes.Success : ExitCodes.Failed;
    }
}
