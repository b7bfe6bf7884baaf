using System.Diagnostics;

namespace Userfault.Bench.Uffd;

/// <summary>A page-fault handler in a process of its own, for one VM; ended with the round.</summary>
internal sealed class HandlerProcess : IDisposable
{
    private readonly Process _process;
    private TimeSpan _atReady;

    private HandlerProcess(Process process) => _process = process;

    /// <summary>Starts a handler and returns when it listens.</summary>
    /// <param name="program">What to start.</param>
    /// <param name="args">Its arguments.</param>
    /// <param name="ready">Part of the line that says that it listens.</param>
    public static HandlerProcess Start(string program, IEnumerable<string> args, string ready)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        var handler = new HandlerProcess(Process.Start(start)!);
        while (handler._process.StandardOutput.ReadLine() is { } line)
        {
            if (!line.Contains(ready, StringComparison.Ordinal))
                continue;
            _ = handler._process.StandardOutput.ReadToEndAsync();
            handler._atReady = handler.ProcessorTime;
            return handler;
        }

        handler.Dispose();
        throw new InvalidOperationException($"{program} ended before it listened");
    }

    /// <summary>Processor time since it listened; none once it has ended.</summary>
    public TimeSpan? Spent
    {
        get
        {
            try
            {
                return ProcessorTime - _atReady;
            }
            catch (InvalidOperationException)
            {
                return null;
            }
        }
    }

    private TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public void Dispose()
    {
        // The monitor is gone: a handler for one VM ends by itself.
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
            _process.Kill();
        _process.Dispose();
    }
}
