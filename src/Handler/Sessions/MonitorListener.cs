using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// Takes monitors' connections on a thread of its own. A monitor that was accepted is served, or it is refused by name
/// and stopped where its userfaultfd has come: the kernel drops a descriptor that nobody receives, and its guest would
/// then hang or read zeros. So a VM is let in only while there is room for it, and at the end the connections that wait
/// in the queue are refused one by one instead of being dropped with the socket.
/// </summary>
internal sealed unsafe class MonitorListener : IDisposable
{
    private const int MaxTriesAtEnd = 50;

    private readonly HandlerServer _server;
    private readonly UnixSocket _socket;
    private readonly DescriptorReserve _reserve = new();
    private readonly EventFd _wake = new();
    private readonly Thread _thread;
    private volatile bool _isClosing;
    private bool _isShort;

    /// <summary>One that takes no connections yet: they wait in the queue.</summary>
    /// <param name="server">Serves them.</param>
    /// <param name="socket">Where they connect; owned from here on.</param>
    public MonitorListener(HandlerServer server, UnixSocket socket)
    {
        (_server, _socket) = (server, socket);
        _thread = new Thread(Run) { IsBackground = true, Name = "monitors" };
    }

    /// <summary>Takes connections from now on; once.</summary>
    public void Start() => _thread.Start();

    /// <summary>Descriptors that are kept back for what has to be done in order.</summary>
    public DescriptorReserve Reserve => _reserve;

    /// <summary>
    /// Takes no more connections. With a standby the socket and its queue are left to it. Otherwise nobody can connect
    /// any more, and those who have and were not accepted yet are refused.
    /// </summary>
    public void Close(bool isLeftToStandby)
    {
        if (_isClosing)
            return;
        _isClosing = true;
        _wake.Signal();
        if (_thread.IsAlive)
            _thread.Join();
        if (isLeftToStandby)
            return;
        // Nobody finds the path any more, and who has found it is told that nobody listens. From then on the queue does
        // not grow: what is taken out of it now is all of it.
        _socket.RemoveFile();
        _socket.StopReceiving();
        _ = _wake.Reset();
        for (var tries = 0; tries < MaxTriesAtEnd; )
        {
            if (Accept(out var error) is { } late)
                Refuse(late, "this handler ends");
            else if (!IsShortage(error))
                return;
            else if (++tries < MaxTriesAtEnd)
                _ = _wake.Wait(UnixSocket.AcceptAgainMs);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close(isLeftToStandby: true);
        _socket.Dispose();
        _reserve.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        var fds = stackalloc PollFd[2];
        while (!_isClosing)
        {
            fds[0] = new PollFd(_socket.Fd.Number, Libc.POLLIN);
            fds[1] = new PollFd(_wake.Fd.Number, Libc.POLLIN);
            _ = Libc.Poll(fds, 2, -1);
            if (fds[1].Returned != 0 || fds[0].Returned == 0)
                continue;
            if (Accept(out var error) is { } monitor)
            {
                _isShort = false;
                Admit(monitor);
            }
            else if (IsShortage(error))
            {
                // It stays in the queue, and is tried again a moment later.
                if (!_isShort)
                    _server.Options.Log.Write($"{HandlerEvent.NotAccepted}: {error}; tries again until there is room");
                _isShort = true;
                _ = _wake.Wait(UnixSocket.AcceptAgainMs);
            }
        }
    }

    private static bool IsShortage(LinuxErrno error) =>
        error is LinuxErrno.EMFILE or LinuxErrno.ENFILE or LinuxErrno.ENOMEM;

    private UnixSocket? Accept(out LinuxErrno error)
    {
        var monitor = _socket.Accept(out error);
        if (monitor is not null || !IsShortage(error))
            return monitor;
        var again = error;
        monitor = _reserve.Spend(() => _socket.Accept(out again));
        error = again;
        return monitor;
    }

    private void Admit(UnixSocket monitor)
    {
        try
        {
            // First those that have not opened theirs: one that does so meanwhile counts twice rather than not at all.
            var waiting = _server.Unsettled;
            if (_server.Count >= _server.Options.MaxVms)
                Refuse(monitor, $"{_server.Options.MaxVms} VMs are served already; raise --most-vms");
            else if (!DescriptorReserve.HasRoomFor(waiting + 1))
                Refuse(monitor, $"no descriptors are left for it below {DescriptorReserve.Limit}; raise `ulimit -n`");
            else
                _ = _server.Adopt(monitor);
        }
        catch (Exception e)
        {
            // No thread for it, or what nobody foresaw: others are served by this process.
            Refuse(monitor, e.Message.ReplaceLineEndings(" "));
        }
    }

    private void Refuse(UnixSocket monitor, string why)
    {
        using (monitor)
            _server.Reject("vm", monitor, isHandedOver: false, process: null, why);
    }
}
