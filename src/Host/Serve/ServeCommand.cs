using System.CommandLine;
using System.Runtime.InteropServices;
using Userfault.Handler;
using Userfault.Linux;

namespace Userfault.Cli;

/// <summary><c>userfault serve</c>: a page-fault handler for real VMs. A process of its own, without actors.</summary>
internal static class ServeCommand
{
    public const string Name = "serve";

    public static Command Create()
    {
        var command = new Command(
            Name,
            "Serve page faults of real VMs: a userfaultfd handler that Firecracker can be pointed at."
        );
        var options = new ServeOptions(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, result, cancelled)));
        return command;
    }

    private static async Task<int> Run(ServeOptions options, ParseResult result, CancellationToken cancelled)
    {
        if (!OperatingSystem.IsLinux())
            throw new CliException("serve: userfaultfd is Linux's alone");
        var socket = result.GetValue(options.Socket);
        var standby = result.GetValue(options.Standby);
        if ((socket is null) == (standby is null))
            throw new CliException("serve: give --socket S to listen, or --standby S to stand by");
        var outputs = new Outputs(result.GetValue(options.Json), null, result.GetValue(options.Record));
        outputs.KeepFrom(result.GetValue(options.Image.Image), result.GetValue(options.WorkingSets.Replay));
        options.WorkingSets.Check(
            result,
            result.GetValue(options.Record),
            hasCluster: result.GetValue(options.Cluster) is not null
        );
        var output = new LineOutput(
            outputs.JsonIsStandardOutput ? LineOutput.StandardError : LineOutput.StandardOutput
        );
        using var log = new LineLog(line => output.WriteLine($"userfault serve: {line}"));
        var settings = options.Overlay.Load(result);
        var handler = options.HandlerOf(result, settings, log);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        if (result.GetValue(options.UntilStdinCloses))
            StandardInput.EndWith(ends);
        if (result.GetValue(options.GcStress))
            GcStress.Start();
        try
        {
            using var pages = ServePages.Open(options, result, settings, log.Write);
            Warmup.Run();
            Warmup.Serve(pages.Supply, handler);
            using var server = new HandlerServer(pages.Supply, handler);
            using var status = result.GetValue(options.StatusSocket) is { } statusPath
                ? new StatusSocket(statusPath, () => ServeReport.Now(server), log.Write)
                : null;
            using var run = new ServeRun(server, log.Write, options.EndOf(result));
            // The command line's own handling of Ctrl-C and SIGTERM begins when this method has returned for the first
            // time; a monitor may have connected before.
            using var signals = new TerminationSignals(PosixSignal.SIGINT, PosixSignal.SIGTERM);
            await using var registration = signals.Token.Register(ends.Cancel);
            var standbySocket = result.GetValue(options.StandbySocket);
            if (socket is not null)
                run.Listen(socket, standbySocket);
            else
                run.StandBy(standby!, standbySocket, ends.Token);
            await run.Ended(ends.Token);
            server.Stop();
            var vms = server.Report();
            var isReported = TryReport(outputs, ServeReport.Of(pages.Supply, vms, log.Lost), log);
            return !isReported || pages.Supply.RecordProblem is not null || vms.Any(vm => vm.End == PagerEnd.Failed)
                ? ExitCodes.Failed
                : ExitCodes.Success;
        }
        catch (Exception e) when (e is LinuxException or ProtocolException)
        {
            throw new CliException(e.Message);
        }
    }

    // The guests were served; a disk that is full now changes nothing about that.
    private static bool TryReport(Outputs outputs, string report, LineLog log)
    {
        try
        {
            outputs.WriteText(report);
            return true;
        }
        catch (CliException e)
        {
            log.Write($"{HandlerEvent.NotReported}: {e.Message}");
            return false;
        }
    }
}
