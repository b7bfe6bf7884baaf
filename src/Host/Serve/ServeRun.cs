using Userfault.Handler;
using Userfault.Linux;

namespace Userfault.Cli;

/// <summary>One handler from its first listening, or standing by, to its end.</summary>
internal sealed class ServeRun : IDisposable
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(1);

    private readonly HandlerServer _server;
    private readonly Action<string> _log;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EventFd _stop = new();
    private readonly Dictionary<int, long> _told = [];
    private readonly ITimer _progress;
    private Thread? _standby;

    public ServeRun(HandlerServer server, Action<string> log, ServeEnd end)
    {
        (_server, _log) = (server, log);
        if (end == ServeEnd.WithLastVm)
        {
            server.VmEnded += _ =>
            {
                if (server.Count == 0)
                    _ended.TrySetResult();
            };
        }
        _progress = TimeProvider.System.CreateTimer(_ => Tell(), null, ProgressEvery, ProgressEvery);
    }

    /// <summary>Listens for monitors.</summary>
    public void Listen(string path, string? standbyPath)
    {
        var listener = UnixSocket.ListenAnew(path);
        UnixSocket? standbyListener;
        try
        {
            standbyListener = standbyPath is null ? null : UnixSocket.ListenAnew(standbyPath);
        }
        catch
        {
            listener.RemoveFile();
            listener.Dispose();
            throw;
        }
        _server.Listen(listener, standbyListener);
        _log(
            $"{HandlerEvent.Listening}: {_server.Pages.PageCount} pages of image {_server.Pages.Identity.Short} at "
                + $"{path}"
        );
    }

    /// <summary>Stands by until the serving process is gone; then serves.</summary>
    public void StandBy(string path, string? standbyPath, CancellationToken ends)
    {
        var client = StandbyClient.Connect(path, _server.Pages, _log);
        ends.Register(_stop.Signal);
        _standby = new Thread(() => HoldOn(client, standbyPath)) { IsBackground = true, Name = "stand by" };
        _standby.Start();
    }

    /// <summary>Ends when the run is over, or is to be.</summary>
    public async Task Ended(CancellationToken ends)
    {
        await using var registration = ends.Register(() => _ended.TrySetResult());
        await _ended.Task;
        _stop.Signal();
        _standby?.Join();
    }

    public void Dispose()
    {
        _progress.Dispose();
        _stop.Dispose();
    }

    private void HoldOn(StandbyClient client, string? standbyPath)
    {
        try
        {
            using (client)
            {
                var isOver = false;
                while (!isOver)
                {
                    var vms = client.Wait(out isOver, _stop);
                    if (isOver)
                        _log($"{HandlerEvent.TakesOver}: {vms.Count} VMs; the serving process is gone");
                    foreach (var vm in vms)
                        _server.Take(vm);
                    if (!isOver && vms.Count == 0)
                        return;
                }
                if (client.Monitors is null)
                    throw new ProtocolException("what listened there was no handler");
                _server.Listen(client.Monitors, ListenForNext(standbyPath));
                _log($"{HandlerEvent.Listening}: serves at {client.Monitors.Path}");
            }
        }
        catch (Exception e) when (e is LinuxException or ProtocolException)
        {
            _ended.TrySetException(new CliException($"--standby: {e.Message}"));
        }
    }

    // Guests are served already: that no further standby can attach must not end that.
    private UnixSocket? ListenForNext(string? path)
    {
        try
        {
            return path is null ? null : UnixSocket.ListenAnew(path);
        }
        catch (LinuxException e)
        {
            _log($"{HandlerEvent.StandbyRefused}: --standby-socket: {e.Message}; no standby can attach");
            return null;
        }
    }

    // A line a second for each VM that moved.
    private void Tell()
    {
        foreach (var vm in _server.Report())
        {
            if (vm.End != PagerEnd.None)
                continue;
            var present = (long)vm.Pages - vm.Counters.MissingPages;
            var moved = present + vm.Counters.Faults + vm.Counters.Requests;
            if (_told.GetValueOrDefault(vm.Id) == moved)
                continue;
            _told[vm.Id] = moved;
            _log(
                $"vm {vm.Id}: {present}/{vm.Pages} pages ({100.0 * present / Math.Max(1, vm.Pages):0.0} %), "
                    + $"{vm.Counters.Faults + vm.Counters.Requests} faults, p50 "
                    + $"{Units.Duration(vm.Latency.PercentileNs(50))}, "
                    + $"p99 {Units.Duration(vm.Latency.PercentileNs(99))}"
            );
        }
    }
}
