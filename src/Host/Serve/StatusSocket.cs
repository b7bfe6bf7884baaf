using System.Text;
using Userfault.Linux;

namespace Userfault.Cli;

/// <summary>
/// Where <c>userfault status --serve</c> looks at a handler: who connects is told how everything stands, as JSON, and
/// the connection ends. On a thread of its own; the VMs' threads notice nothing but a glance at their latencies.
/// </summary>
internal sealed class StatusSocket : IDisposable
{
    private const int PatienceMs = 1000;
    private readonly UnixSocket _listener;
    private readonly string _path;
    private readonly Func<string> _report;
    private readonly EventFd _stop = new();
    private readonly Thread _thread;

    /// <summary>Listens from now on.</summary>
    /// <param name="path">Where.</param>
    /// <param name="report">What is told.</param>
    /// <exception cref="LinuxException">Somebody listens there, or it is no place to.</exception>
    public StatusSocket(string path, Func<string> report)
    {
        (_path, _report) = (path, report);
        _listener = UnixSocket.ListenAnew(path);
        _thread = new Thread(Serve) { IsBackground = true, Name = "status" };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop.Signal();
        _thread.Join();
        _listener.Dispose();
        _stop.Dispose();
        File.Delete(_path);
    }

    // Whoever does not read holds nobody up for long.
    private static void Tell(UnixSocket asker, ReadOnlySpan<byte> report)
    {
        while (report.Length > 0 && asker.WaitWritable(PatienceMs))
        {
            report = report[Math.Max(0, asker.TrySend(report))..];
        }
    }

    private void Serve()
    {
        while (_listener.WaitReadable(_stop))
        {
            if (_listener.Accept() is not { } asker)
                continue;
            using (asker)
            {
                try
                {
                    Tell(asker, Encoding.UTF8.GetBytes(_report()));
                }
                catch (LinuxException)
                {
                    // It did not wait for the answer.
                }
            }
        }
    }
}
