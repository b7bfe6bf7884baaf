using System.CommandLine;
using Userfault.Linux;
using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary><c>userfault qemu restore</c>: the source of a post-copy migration whose guest is a file.</summary>
internal static class RestoreCommand
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var command = new Command(
            "restore",
            "Resume saved guests in waiting QEMUs at once, and send their pages as they touch them."
        );
        var options = new RestoreOptions(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, result, cancelled)));
        return command;
    }

    private static async Task<int> Run(RestoreOptions options, ParseResult result, CancellationToken cancelled)
    {
        if (!OperatingSystem.IsLinux())
            throw new CliException("qemu restore: runs on Linux alone");
        var outputs = new Outputs(
            result.GetValue(options.Json),
            result.GetValue(options.Html),
            result.GetValue(options.Record)
        )
        {
            MergesRecord = result.GetValue(options.WorkingSets.RecordMerge),
        };
        var lines = new RestoreLines(
            outputs.JsonIsStandardOutput ? LineOutput.StandardError : LineOutput.StandardOutput
        );
        void Log(string line) => lines.Write(line);
        var targets = options.TargetsOf(result);
        var path = result.GetValue(options.File);
        if ((path is null) == (result.GetValue(options.FromCluster.Cluster) is null))
        {
            throw new CliException(
                "qemu restore: name the file that QEMU has saved, or --cluster H:P,... of nodes that serve it"
            );
        }

        if (path is null && result.GetValue(options.Latency) is not null)
            throw new CliException("--latency: belongs to a file in this process");
        var sets = options.WorkingSets;
        sets.Check(result, result.GetValue(options.Record), hasCluster: path is null);
        using var cluster = RestoreFromCluster.TryOpen(options.FromCluster, result, Log);
        outputs.KeepFrom(path, result.GetValue(sets.Replay));
        using var image = path is null ? null : QemuImage.Open(path);
        RestoreWarmup.Run();
        var source = cluster?.Source ?? GuestSource.Of(image!, TimeProvider.System);
        var settings = options.SettingsOf(result, source.Stream);
        sets.CheckMerge(result, result.GetValue(options.Record), source.Image, source.Stream.Pages, source.Name);
        var replay = result.GetValue(sets.Shared)
            ? cluster!.FindWorkingSet(Log) is { } shared
                ? sets.Bound(result, shared)
                : null
            : sets.Load(result, source.Image, source.Stream.Pages, source.Name);
        settings = settings with { Replay = replay };

        using var recorder = result.GetValue(options.Record) is null
            ? null
            : new WorkingSetRecorder(source.Stream.Pages);
        if (recorder is not null && targets.Count > 1)
            throw new CliException("--record: belongs to one guest; give one --to");
        var guests = targets
            .Select(
                (target, i) =>
                    new RestoredGuest(
                        i + 1,
                        target,
                        new GuestRestore(source, settings, recorder, TimeProvider.System),
                        source.Stream,
                        settings.HasPreemptChannel,
                        options.PatienceOf(result),
                        Log
                    )
            )
            .ToList();
        try
        {
            var kind = result.GetValue(options.Recover) ? SessionKind.Recovery : SessionKind.Start;
            var told = new GuestProgress?[guests.Count];
            await using var progress = TimeProvider.System.CreateTimer(
                _ => Tell(guests, told, Log),
                null,
                ProgressEvery,
                ProgressEvery
            );
            var ends = await Task.WhenAll(guests.Select(guest => guest.RunAsync(kind, cancelled)));
            var report = new RestoreReport(source, ends, recorder?.ToWorkingSet(source.Image, source.Stream.Pages))
            {
                Cluster = cluster?.Figures,
            };
            report.Write(outputs);
            if (lines.Problem is { } problem)
                await Console.Error.WriteLineAsync($"userfault: {problem}; lines are missing there");
            return ends.All(static end => end.End == PostcopyEnd.Completed) && lines.Problem is null ? ExitCodes.Success
                : cancelled.IsCancellationRequested ? ExitCodes.Interrupted
                : ExitCodes.Failed;
        }
        finally
        {
            guests.ForEach(static guest => guest.Dispose());
        }
    }

    private static void Tell(List<RestoredGuest> guests, GuestProgress?[] told, Action<string> log)
    {
        for (var i = 0; i < guests.Count; i++)
        {
            // A guest that asks for nothing is not worth a line a second.
            var now = guests[i].Progress;
            if (now.RunningNs >= 0 && now.Left > 0 && now != told[i])
            {
                told[i] = now;
                log(
                    $"guest {i + 1}: {now.Demanded} pages demanded, {now.Pushed} pushed, {now.Left} left, "
                        + $"{now.Waiting} waiting"
                );
            }
        }
    }
}
