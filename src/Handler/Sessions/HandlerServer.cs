using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// A page-fault handler: takes monitors' connections, serves each VM on a thread of its own, keeps a standby informed,
/// and tells how it all stands.
/// </summary>
public sealed class HandlerServer : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<VmSession> _sessions = [];
    private readonly List<VmReport> _ended = [];
    private StandbyHub? _standbys;
    private MonitorListener? _monitors;
    private int _lastId;
    private volatile bool _isStopping;

    /// <summary>A handler that serves nobody yet.</summary>
    /// <param name="pages">Where pages come from.</param>
    /// <param name="options">How to serve.</param>
    public HandlerServer(PageSupply pages, HandlerOptions options) => (Pages, Options) = (pages, options);

    /// <summary>Takes connections from now on; once.</summary>
    /// <param name="listener">Where monitors connect; owned from here on.</param>
    /// <param name="standbyListener">Where a standby connects; owned from here on. Null for none.</param>
    public void Listen(UnixSocket listener, UnixSocket? standbyListener = null)
    {
        if (standbyListener is not null)
            _standbys = new StandbyHub(this, standbyListener, listener);
        _monitors = new MonitorListener(this, listener);
        _monitors.Start();
    }

    /// <summary>Goes on with a VM that another process has served; owned from here on.</summary>
    public void Take(VmDescriptors vm)
    {
        ArgumentNullException.ThrowIfNull(vm);
        _lastId = Math.Max(_lastId, vm.Id);
        Options.Log.Write($"vm {vm.Id}: taken over, {vm.State.Missing.Count()} pages missing");
        try
        {
            Add(new VmSession(this, vm));
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            Log(vm.Id, HandlerEvent.Failed, $"no thread for it: {e.Message}");
            StopMonitor($"vm {vm.Id}", vm.Monitor);
            vm.Dispose();
        }
    }

    /// <summary>Where pages come from.</summary>
    public PageSupply Pages { get; }

    /// <summary>How it serves.</summary>
    public HandlerOptions Options { get; }

    /// <summary>VMs that are served now, or are in their handshake.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _sessions.Count;
        }
    }

    /// <summary>Is a standby attached?</summary>
    public bool HasStandby => _standbys is { IsAttached: true };

    /// <summary>A VM's end. Called on its thread.</summary>
    public event Action<VmReport>? VmEnded;

    /// <summary>Every VM, ended ones first.</summary>
    public IReadOnlyList<VmReport> Report()
    {
        VmSession[] sessions;
        VmReport[] ended;
        lock (_lock)
            (sessions, ended) = ([.. _sessions], [.. _ended]);
        return [.. ended, .. sessions.Select(s => s.Report()).OfType<VmReport>()];
    }

    /// <summary>
    /// Ends: no more connections, and those that wait are refused. With a standby every VM is left to it at once;
    /// without one each gets the pages that it lacks and is released. One that cannot be released has its monitor
    /// stopped.
    /// </summary>
    public void Stop()
    {
        if (_isStopping)
            return;
        _isStopping = true;
        // From here on no standby comes: the listener is left to the one that is there, or closed.
        var handOver = _standbys?.StopAttaching() ?? false;
        _monitors?.Close(handOver);
        VmSession[] sessions;
        lock (_lock)
            sessions = [.. _sessions];
        foreach (var session in sessions)
            session.Stop(handOver);
        foreach (var session in sessions)
        {
            if (!session.WaitForEnd(Options.StopPatience))
                session.Abandon();
        }
        _standbys?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        _monitors?.Dispose();
    }

    /// <summary>Serves who is connected already; the socket is owned from here on.</summary>
    internal VmSession Adopt(UnixSocket monitor)
    {
        var session = new VmSession(this, ++_lastId, monitor);
        Add(session);
        return session;
    }

    /// <summary>VMs that may open more descriptors: those in their handshake.</summary>
    internal int Unsettled
    {
        get
        {
            lock (_lock)
                return _sessions.Count(static s => !s.IsSettled);
        }
    }

    /// <summary>
    /// Refuses a connection in one line. What its monitor sends from now on fails at its end, so that it knows; one
    /// whose userfaultfd has come has a guest that depends on it, and is stopped.
    /// </summary>
    /// <param name="vm">The VM's name for the line.</param>
    /// <param name="socket">The connection; not owned.</param>
    /// <param name="isHandedOver">Has its userfaultfd been received?</param>
    /// <param name="process">Its process; null where it is to be opened here.</param>
    /// <param name="why">The reason.</param>
    internal void Reject(string vm, UnixSocket socket, bool isHandedOver, PidFd? process, string why)
    {
        if (_monitors is { } monitors)
            _ = monitors.Reserve.Spend(() => Reject());
        else
            _ = Reject();

        bool Reject()
        {
            var pid = socket.PeerPid;
            Options.Log.Write($"{vm}: {HandlerEvent.Refused}: process {pid}: {why}");
            string? problem = null;
            PidFd? opened = null;
            try
            {
                // Before what comes may take the last descriptor.
                if (process is null)
                    process = opened = PidFd.Open(pid);
            }
            catch (LinuxException e)
            {
                problem = e.Error == LinuxErrno.ESRCH ? null : e.Message;
            }

            using (opened)
            {
                if (!(isHandedOver | Handshake.HasComeBefore(socket)))
                    return false;
                if (process is not null)
                    StopMonitor(vm, process);
                else if (problem is not null && Options.StopsMonitors)
                    Options.Log.Write($"{vm}: {HandlerEvent.MonitorStopped}: it could not be stopped: {problem}");
                return true;
            }
        }
    }

    /// <summary>Stops a monitor whose guest cannot be served.</summary>
    /// <returns>False where its process has ended already; true also where it is not to be stopped.</returns>
    internal bool StopMonitor(string vm, PidFd monitor)
    {
        if (!Options.StopsMonitors)
            return true;
        try
        {
            if (!monitor.Signal(PidFd.Kill))
                return false;
            Options.Log.Write(
                $"{vm}: {HandlerEvent.MonitorStopped}: its monitor was stopped: its guest would hang, or read zeros"
            );
        }
        catch (LinuxException e)
        {
            Options.Log.Write($"{vm}: {HandlerEvent.MonitorStopped}: its monitor could not be stopped: {e.Message}");
        }

        return true;
    }

    internal void Log(int id, HandlerEvent what, string line) => Options.Log.Write($"vm {id}: {what}: {line}");

    internal void Began(VmSession session, VmDescriptors vm)
    {
        ulong pages = 0;
        foreach (var region in vm.Map.Regions)
            pages += region.Pages.Count;
        _standbys?.Tell(session.Id, vm);
        Log(
            session.Id,
            HandlerEvent.Began,
            $"{vm.Map.Regions.Length} regions, {pages} pages"
                + (
                    vm.Memfd is not null ? ", secret-free"
                    : vm.File is not null ? ", written into the memory file"
                    : ""
                )
        );
    }

    internal bool TryHandOver(int id) => _standbys?.TryTellTake(id) ?? false;

    internal void Ended(VmSession session)
    {
        var report = session.Report();
        lock (_lock)
        {
            _sessions.Remove(session);
            if (report is not null)
                _ended.Add(report);
            // What is told at the end is bounded; a handler may live for years.
            if (_ended.Count > 4096)
                _ended.RemoveAt(0);
        }
        // One that is left to the standby has not ended for it.
        if (report?.End is not PagerEnd.HandedOver)
            _standbys?.TellEnd(session.Id);
        if (report is not null)
            VmEnded?.Invoke(report);
    }

    internal VmDescriptors[] Served()
    {
        lock (_lock)
            return [.. _sessions.Select(s => s.Served).OfType<VmDescriptors>()];
    }

    private void Add(VmSession session)
    {
        lock (_lock)
            _sessions.Add(session);
        try
        {
            session.Start();
        }
        catch
        {
            lock (_lock)
                _sessions.Remove(session);
            throw;
        }
    }
}
