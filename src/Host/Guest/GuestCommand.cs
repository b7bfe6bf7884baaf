using System.CommandLine;
using Userfault.Linux;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault guest</c>: a stand-in for a microVM monitor that restores a snapshot, so that a handler can be shown
/// and tested on any Linux machine.
/// </summary>
internal static class GuestCommand
{
    public static Command Create()
    {
        var command = new Command(
            "guest",
            "Stand in for a microVM monitor: hand memory to a handler, touch it, check every page."
        );
        var options = new GuestOptions(command);
        command.SetAction(
            (result, cancelled) => BadInput.Guard(() => Task.FromResult(Run(options, result, cancelled)))
        );
        return command;
    }

    private static int Run(GuestOptions options, ParseResult result, CancellationToken cancelled)
    {
        if (!OperatingSystem.IsLinux())
            throw new CliException("guest: userfaultfd is Linux's alone");
        var path =
            result.GetValue(options.Socket)
            ?? throw new CliException("guest: say where the handler listens: --socket S");
        var outputs = new Outputs(result.GetValue(options.Json), null, null);
        using var image =
            options.Image.TryOpen(result)
            ?? throw new CliException("guest: say what memory must hold: --image F or --synthetic SIZE");
        var workload = options.OpenWorkload(result, image.Pages);
        var regions = options.RegionsOf(result, image.Pages);
        var settings = options.RunOf(result, image.Pages, workload.Vcpus);
        if (result.GetValue(options.GcStress))
            GcStress.Start();
        GuestReport report;
        try
        {
            var memory = new GuestMemory(regions, options.FormOf(result));
            // Not disposed of where a thread may still sleep on its memory: the process ends then.
            var run = new GuestRun(UnixSocket.Connect(path), memory, image, workload, settings);
            report = run.Run(cancelled);
            if (report.IsGood)
                run.Dispose();
        }
        catch (LinuxException e)
        {
            throw new CliException($"guest: {e.Message}");
        }
        report.Write(outputs.JsonIsStandardOutput ? Console.Error : Console.Out);
        outputs.WriteText(report.ToJson());
        return report.IsGood ? ExitCodes.Success
            : cancelled.IsCancellationRequested ? ExitCodes.Interrupted
            : ExitCodes.Failed;
    }
}
