using System.Text;
using Userfault.Handler;
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
    private readonly Func<string> _report;
    private readonly Action<string> _log;
    private readonly EventFd _stop = new();
    private readonly Thread _thread;

    /// <summary>Listens from now on.</summary>
    /// <param name="path">Where.</param>
    /// <param name="report">What is told.</param>
    /// <param name="log">Takes a line where that fails.</param>
    /// <exception cref="LinuxException">Somebody listens there, or it is no place to.</exception>
    public StatusSocket(string path, Func<string> report, Action<string> log)
    {
        (_report, _log) = (report, log);
        _listener = UnixSocket.ListenAnew(path);
        _thread = new Thread(Serve) { IsBackground = true, Name = "status" };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop.Signal();
        _thread.Join();
        _listener.RemoveFile();
        _listener.Dispose();
        _stop.Dispose();
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
            {
                // Where descriptors have run out, the connection stays in the queue and is tried again.
                _ = _stop.Wait(UnixSocket.AcceptAgainMs);
                continue;
            }

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
                catch (Exception e)
                {
                    // Unforeseen, and no reason to end the process that guests depend on.
                    _log($"{HandlerEvent.StatusFailed}: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
                }
            }
        }
    }
}
