using System.Diagnostics;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault serve</c> as a child of this process: ends with it, since its standard input is a pipe from here, and
/// is ended by its id where it does not.
/// </summary>
internal sealed class ServeChild : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly Task<string> _error;

    private ServeChild(Process process) => (_process, _error) = (process, process.StandardError.ReadToEndAsync());

    /// <summary>
    /// How it died, with what it said; null while it lives, and where it ended well: then no page is missing. Nobody
    /// answers the guest's faults any more.
    /// </summary>
    public string? Death()
    {
        if (!_process.HasExited || _process.ExitCode == ExitCodes.Success)
            return null;
        var said = _error.IsCompletedSuccessfully ? _error.Result.ReplaceLineEndings(" ").Trim() : "";
        return $"the handler (process {Id}) died with exit code "
            + $"{_process.ExitCode}{(said.Length > 0 ? $": {said}" : "")}";
    }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts it, and returns when it listens.</summary>
    /// <param name="args">Its options.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">It ended before, with what it said; or it took too long.</exception>
    public static async Task<ServeChild> Start(IEnumerable<string> args, CancellationToken cancelled)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // Under `dotnet userfault.dll` the process is dotnet's, and the first argument names the program.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(ServeChild).Assembly.Location);
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        var child = new ServeChild(Process.Start(start)!);
        try
        {
            await child.Listens(cancelled);
            return child;
        }
        catch
        {
            child.Dispose();
            throw;
        }
    }

    /// <summary>The same where its connection broke: it may be about to end.</summary>
    public async Task<string?> DeathSoon()
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await _process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        return Death();
    }

    /// <summary>Waits for its end, when its VM has ended.</summary>
    /// <returns>True where it ended well in time.</returns>
    public async Task<bool> HasEndedWell()
    {
        using var late = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(late.Token);
            return _process.ExitCode == ExitCodes.Success;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(15)))
                _process.Kill();
        }

        _process.Dispose();
    }

    private async Task Listens(CancellationToken cancelled)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        late.CancelAfter(Patience);
        try
        {
            while (await _process.StandardOutput.ReadLineAsync(late.Token) is { } line)
            {
                if (!line.Contains(" pages of image ", StringComparison.Ordinal))
                    continue;
                // Read on, by nobody: a pipe that is full would stop it.
                _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return;
            }

            throw new CliException(
                $"the handler (process {Id}) died before it listened: {(await _error).ReplaceLineEndings(" ").Trim()}"
            );
        }
        catch (OperationCanceledException)
        {
            if (cancelled.IsCancellationRequested)
                throw new InterruptedException();
            throw new CliException($"the handler (process {Id}) did not listen within {Patience.TotalSeconds} s");
        }
    }
}
