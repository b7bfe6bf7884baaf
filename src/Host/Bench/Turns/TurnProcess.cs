using System.Diagnostics;

namespace Userfault.Cli;

/// <summary>
/// Makes a turn in a process of its own: a handler that cannot serve ends its monitor, as the protocol asks, and that
/// must not be the process which reports it.
/// </summary>
internal sealed class TurnProcess(IReadOnlyList<string> imageArguments)
{
    // Shells and .NET tell a signal by this.
    private const int SigKill = 9;
    private const int SignalExitCode = 128;

    /// <summary>Makes it.</summary>
    /// <exception cref="CliException">The turn could not be made; that is not the handler's fault.</exception>
    public async Task<TurnResult> Make(TurnSettings settings, CancellationToken cancelled)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // Under `dotnet userfault.dll` the process is dotnet's, and the first argument names the program.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(TurnProcess).Assembly.Location);
        foreach (var arg in (string[])["bench", TurnCommand.Name, .. settings.ToArguments(), .. imageArguments])
            start.ArgumentList.Add(arg);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(cancelled);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            throw new InterruptedException();
        }
        if (process.ExitCode == ExitCodes.Success && TurnResult.TryParse(await output) is { } result)
            return result;
        if (cancelled.IsCancellationRequested || process.ExitCode == ExitCodes.Interrupted)
            throw new InterruptedException();
        var signal = process.ExitCode - SignalExitCode;
        // A handler that cannot serve uses SIGKILL; another signal is somebody's who wants an end.
        if (signal is > 0 and not SigKill)
            throw new InterruptedException();
        if (signal > 0)
        {
            return TurnResult.Failed(
                TurnProblem.MonitorKilled,
                $"ended the process that it served (signal {signal}), as a handler does that cannot serve: "
                    + "its log says why, and --pages must not be more than its image has"
            );
        }
        var said = (await error).ReplaceLineEndings(" ").Trim();
        throw new CliException(said.StartsWith("userfault: ", StringComparison.Ordinal) ? said[11..] : said);
    }
}
