using System.Text.Json;
using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// The serving end of the standby connection: gives an attached standby the listener and, for each VM, what it needs to
/// go on. It takes over when this connection ends, however this process ends. Messages are JSON objects, one after
/// another:
/// <code>
/// {"userfault":1,"image":"HEX","file":F}   listener; F is its file, {"Path":P,"Device":D,"Inode":I} or null
/// {"vm":3,"regions":[...],"form":"main"}   userfaultfd, socket, pidfd, state
/// {"vm":3,"regions":[...],"form":"file"}   userfaultfd, socket, pidfd, state, memory file
/// {"vm":3,"regions":[...],"form":"memfd"}  userfaultfd, socket, pidfd, state, guest_memfd, bitmap
/// {"end":3}                                it is over
/// {"take":3}                               this process cannot serve it
/// {"over":1}                               nor anybody any more: all is left to the standby
/// </code>
/// Without the last one, a connection that ends while this process lives leaves the standby nothing.
/// </summary>
internal sealed unsafe class StandbyHub : IDisposable
{
    // A standby that reads nothing for so long is let go, or every VM that begins would wait for it.
    private const int PatienceMs = 2000;

    private readonly HandlerServer _server;
    private readonly UnixSocket _listener;
    private readonly UnixSocket _monitors;
    private readonly EventFd _wake = new();
    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private UnixSocket? _standby;
    private bool _isClosed;
    private volatile bool _isStopping;

    public StandbyHub(HandlerServer server, UnixSocket listener, UnixSocket monitors)
    {
        (_server, _listener, _monitors) = (server, listener, monitors);
        _thread = new Thread(Run) { IsBackground = true, Name = "standby" };
        _thread.Start();
    }

    public bool IsAttached
    {
        get
        {
            lock (_lock)
                return _standby is not null;
        }
    }

    /// <summary>A VM is served from now on.</summary>
    public void Tell(int id, VmDescriptors vm)
    {
        lock (_lock)
            Send(() => Describe(id, vm));
    }

    /// <summary>A VM is over.</summary>
    public void TellEnd(int id)
    {
        lock (_lock)
            Send(() => (JsonSerializer.SerializeToUtf8Bytes(new { end = id }), []));
    }

    /// <summary>The standby goes on with a VM; false where none is attached.</summary>
    public bool TryTellTake(int id)
    {
        lock (_lock)
        {
            Send(() => (JsonSerializer.SerializeToUtf8Bytes(new { take = id }), []));
            return _standby is not null;
        }
    }

    /// <summary>No further standby attaches; answers whether one is attached.</summary>
    public bool StopAttaching()
    {
        lock (_lock)
        {
            _isClosed = true;
            return _standby is not null;
        }
    }

    public void Dispose()
    {
        _isStopping = true;
        _wake.Signal();
        _thread.Join();
        // Before the standby goes on: it may listen there itself.
        _listener.RemoveFile();
        lock (_lock)
        {
            Send(static () => (JsonSerializer.SerializeToUtf8Bytes(new { over = 1 }), []));
            _standby?.Dispose();
            _standby = null;
        }
        _listener.Dispose();
        _wake.Dispose();
    }

    private static (byte[] Json, OwnedFd[] Descriptors) Describe(int id, VmDescriptors vm)
    {
        var regions = JsonSerializer.Deserialize<JsonElement>(RegionList.Write(vm.Map.Regions));
        OwnedFd[] descriptors = [vm.Uffd.Fd, vm.Socket.Fd, vm.Monitor.Fd, vm.State.Fd];
        if (vm.Memfd is { } memfd)
            descriptors = [.. descriptors, memfd.Descriptors.Memory, memfd.Descriptors.Bitmap];
        if (vm.File is { } file)
            descriptors = [.. descriptors, file.Descriptor];
        return (
            JsonSerializer.SerializeToUtf8Bytes(
                new
                {
                    vm = id,
                    regions,
                    form = vm.Memfd is not null ? "memfd"
                    : vm.File is not null ? "file"
                    : "main",
                }
            ),
            descriptors
        );
    }

    // Under the lock.
    private void Send(Func<(byte[] Json, OwnedFd[] Descriptors)> message)
    {
        if (_standby is null)
            return;
        try
        {
            var (json, descriptors) = message();
            if (_standby.WaitWritable(PatienceMs))
                _standby.Send(json, descriptors);
            else
                Detach("the standby does not listen, and is let go");
        }
        catch (LinuxException)
        {
            Detach("the standby is gone");
        }
    }

    private void Attach(UnixSocket standby)
    {
        lock (_lock)
        {
            if (_standby is not null || _isClosed)
            {
                var why = _isClosed ? "this handler ends" : "another standby is attached";
                _server.Options.Log.Write($"{HandlerEvent.StandbyRefused}: process {standby.PeerPid}: {why}");
                standby.Dispose();
                return;
            }
            _standby = standby;
            _server.Options.Log.Write($"{HandlerEvent.StandbyAttached}: process {standby.PeerPid}");
            Send(() =>
                (
                    JsonSerializer.SerializeToUtf8Bytes(
                        new
                        {
                            userfault = 1,
                            image = _server.Pages.Identity.ToString(),
                            file = _monitors.File,
                        }
                    ),
                    [_monitors.Fd]
                )
            );
            // A VM that begins at this moment is told twice: the standby keeps one.
            foreach (var vm in _server.Served())
                Send(() => Describe(vm.Id, vm));
        }
    }

    private void Detach(string why)
    {
        _standby?.Dispose();
        _standby = null;
        _server.Options.Log.Write($"{HandlerEvent.StandbyDetached}: {why}");
    }

    private void Run()
    {
        var fds = stackalloc PollFd[3];
        while (!_isStopping)
        {
            int standby;
            lock (_lock)
                standby = _standby?.Fd.Number ?? -1;
            fds[0] = new PollFd(_listener.Fd.Number, Libc.POLLIN);
            fds[1] = new PollFd(_wake.Fd.Number, Libc.POLLIN);
            fds[2] = new PollFd(standby, Libc.POLLIN);
            _ = Libc.Poll(fds, 3, -1);
            if (fds[0].Returned != 0)
            {
                if (_listener.Accept() is { } socket)
                    Attach(socket);
                else
                    _ = _wake.Wait(UnixSocket.AcceptAgainMs);
            }
            if (fds[2].Returned == 0)
                continue;
            // A standby says nothing: what can be read is its end.
            lock (_lock)
            {
                if (_standby is not null)
                    Detach("the standby is gone");
            }
        }
    }
}
