using System.Diagnostics;
using Userfault.Bench.DataPlane;

namespace Userfault.Bench.Cluster;

/// <summary>
/// Processes that do nothing but take processor time, in the ordinary scheduling class; ended with this.
/// </summary>
internal sealed class BusyProcesses : IDisposable
{
    private readonly List<Process> _processes = [];

    public BusyProcesses(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!, DataPlaneBench.Self("children", "busy"))
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            };
            _processes.Add(Process.Start(start)!);
        }

        // Each says so when it runs.
        foreach (var process in _processes)
            process.StandardOutput.ReadLine();
    }

    /// <summary>The work of such a process, until its standard input ends.</summary>
    public static int Run()
    {
        var isOver = false;
        var waiter = new Thread(() =>
        {
            Console.In.ReadToEnd();
            Volatile.Write(ref isOver, true);
        })
        {
            IsBackground = true,
        };
        waiter.Start();
        Console.WriteLine("busy");
        while (!Volatile.Read(ref isOver))
            Thread.SpinWait(1000);
        return 0;
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
