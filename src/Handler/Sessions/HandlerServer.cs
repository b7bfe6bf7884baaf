using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// A page-fault handler: takes monitors' connections, serves each VM on a thread of its own, keeps a standby informed,
/// and tells how it all stands.
/// </summary>
public sealed unsafe class HandlerServer : IDisposable
{
    private UnixSocket? _listener;
    private readonly EventFd _wake = new();
    private readonly Lock _lock = new();
    private readonly List<VmSession> _sessions = [];
    private readonly List<VmReport> _ended = [];
    private StandbyHub? _standbys;
    private Thread? _thread;
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
        _listener = listener;
        if (standbyListener is not null)
            _standbys = new StandbyHub(this, standbyListener, listener);
        _thread = new Thread(Accept) { IsBackground = true, Name = "monitors" };
        _thread.Start();
    }

    /// <summary>Goes on with a VM that another process has served; owned from here on.</summary>
    public void Take(VmDescriptors vm)
    {
        ArgumentNullException.ThrowIfNull(vm);
        _lastId = Math.Max(_lastId, vm.Id);
        Options.Log($"vm {vm.Id}: taken over, {vm.State.Missing.Count()} pages missing");
        Add(new VmSession(this, vm));
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
    /// Ends: no more connections. With a standby every VM is left to it at once; without one each gets the pages that
    /// it lacks and is released. One that cannot be released has its monitor stopped.
    /// </summary>
    public void Stop()
    {
        if (_isStopping)
            return;
        _isStopping = true;
        _wake.Signal();
        _thread?.Join();
        var handOver = HasStandby;
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
        _listener?.Dispose();
        _wake.Dispose();
    }

    /// <summary>Serves who is connected already; the socket is owned from here on.</summary>
    internal VmSession Adopt(UnixSocket monitor)
    {
        var session = new VmSession(this, ++_lastId, monitor);
        Add(session);
        return session;
    }

    internal void Log(int id, HandlerEvent what, string line) => Options.Log($"vm {id}: {what}: {line}");

    internal void Began(VmSession session, VmDescriptors vm)
    {
        ulong pages = 0;
        foreach (var region in vm.Map.Regions)
            pages += region.Pages.Count;
        _standbys?.Tell(session.Id, vm);
        Log(
            session.Id,
            HandlerEvent.Began,
            $"{vm.Map.Regions.Length} regions, {pages} pages" + (vm.Memfd is null ? "" : ", secret-free")
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
        session.Start();
    }

    private void Accept()
    {
        var fds = stackalloc PollFd[2];
        while (!_isStopping)
        {
            fds[0] = new PollFd(_listener!.Fd.Number, Libc.POLLIN);
            fds[1] = new PollFd(_wake.Fd.Number, Libc.POLLIN);
            _ = Libc.Poll(fds, 2, -1);
            if (fds[0].Returned == 0 || _listener.Accept() is not { } socket)
                continue;
            try
            {
                if (Count >= Options.MaxVms)
                {
                    Options.Log(
                        $"vm: {HandlerEvent.Refused}: process {socket.PeerPid}: {Options.MaxVms} VMs are served already"
                    );
                    socket.Dispose();
                }
                else
                {
                    Adopt(socket);
                }
            }
            catch (Exception e) when (e is LinuxException or OutOfMemoryException or ThreadStartException)
            {
                Options.Log($"a connection was dropped: {e.Message}");
                socket.Dispose();
            }
        }
    }
}
