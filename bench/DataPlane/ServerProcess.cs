using System.Diagnostics;
using System.Globalization;

namespace Userfault.Bench.DataPlane;

/// <summary>A page server in a process of its own that prints its port; ended with the benchmark.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process)
    {
        _process = process;
        Port = int.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
    }

    public int Port { get; }

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Writes a line to the process, and reads the one that it answers.</summary>
    public string Ask()
    {
        _process.StandardInput.WriteLine();
        return _process.StandardOutput.ReadLine()!;
    }

    public static ServerProcess Start(string program, string[] args) =>
        new(
            Process.Start(
                new ProcessStartInfo(program, args) { RedirectStandardInput = true, RedirectStandardOutput = true }
            )!
        );

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
