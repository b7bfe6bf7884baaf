using System.Text.Json;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler;

/// <summary>
/// The other end of the standby connection: holds what the serving process hands over, until that process is gone, in
/// whatever way. Then the VMs and the listener are this process's.
/// </summary>
public sealed class StandbyClient : IDisposable
{
    private const int MaxMessageBytes = 1 << 20;

    // From the end of the connection to the end of its process, where that is killed.
    private const int DeathMs = 10_000;

    private readonly UnixSocket _socket;
    private readonly PidFd _serving;
    private readonly PageSupply _pages;
    private readonly Action<string> _log;
    private readonly JsonCutter _messages = new(MaxMessageBytes);
    private readonly Dictionary<int, VmDescriptors> _vms = [];
    private readonly Queue<OwnedFd> _descriptors = new();

    private bool _isLeft;

    private StandbyClient(UnixSocket socket, PidFd serving, PageSupply pages, Action<string> log) =>
        (_socket, _serving, _pages, _log) = (socket, serving, pages, log);

    /// <summary>Where monitors connect; null until the serving process has said hello.</summary>
    public UnixSocket? Monitors { get; private set; }

    /// <summary>VMs held.</summary>
    public int Count => _vms.Count;

    /// <summary>Connects to a serving process's standby socket.</summary>
    /// <exception cref="LinuxException">Nobody listens there.</exception>
    public static StandbyClient Connect(string path, PageSupply pages, Action<string> log)
    {
        var socket = UnixSocket.Connect(path);
        try
        {
            return new StandbyClient(socket, PidFd.Open(socket.PeerPid), pages, log);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Holds on until the serving process is gone, or one VM is to be taken before that; answers which are this
    /// process's now.
    /// </summary>
    /// <param name="isOver">The serving process is gone: there will be no more.</param>
    /// <param name="stop">Readable when the wait is to end.</param>
    /// <exception cref="ProtocolException">The other end is no handler of this image.</exception>
    public unsafe IReadOnlyList<VmDescriptors> Wait(out bool isOver, EventFd stop)
    {
        ArgumentNullException.ThrowIfNull(stop);
        var descriptors = new List<OwnedFd>();
        var fds = stackalloc PollFd[2];
        isOver = false;
        while (true)
        {
            while (_messages.TryNext(out var json))
            {
                if (Take(json) is { } taken)
                    return [taken];
            }
            fds[0] = new PollFd(_socket.Fd.Number, Libc.POLLIN);
            fds[1] = new PollFd(stop.Fd.Number, Libc.POLLIN);
            _ = Libc.Poll(fds, 2, -1);
            if (fds[1].Returned != 0)
                return [];
            var bytes = _socket.Receive(_messages.Room, descriptors);
            foreach (var fd in descriptors)
                _descriptors.Enqueue(fd);
            descriptors.Clear();
            if (bytes == 0)
            {
                // Two that serve one guest would each read half of its events.
                if (!_isLeft && !_serving.HasEnded(DeathMs))
                    throw new ProtocolException("the serving process has let go of this standby, and lives on");
                isOver = true;
                var all = _vms.Values.ToArray();
                _vms.Clear();
                return all;
            }
            _messages.Fill(bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var vm in _vms.Values)
            vm.Dispose();
        foreach (var fd in _descriptors)
            fd.Dispose();
        _socket.Dispose();
        _serving.Dispose();
    }

    // The VM that is to be taken at once, or null.
    private VmDescriptors? Take(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            var message = JsonElement.ParseValue(ref reader);
            if (message.TryGetProperty("userfault", out _))
                TakeHello(message);
            else if (message.TryGetProperty("vm", out var vm))
                TakeVm(vm.GetInt32(), message);
            else if (message.TryGetProperty("end", out var end))
                Forget(end.GetInt32());
            else if (message.TryGetProperty("over", out _))
                _isLeft = true;
            else if (message.TryGetProperty("take", out var take) && _vms.Remove(take.GetInt32(), out var taken))
                return taken;
            return null;
        }
        catch (Exception e)
            when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new ProtocolException("what listens there is no handler");
        }
    }

    private void TakeHello(JsonElement message)
    {
        // Found from here or not: it is removed only where that very file is at the path.
        var file = message.GetProperty("file").Deserialize<SocketFile>();
        Monitors = new UnixSocket(NextDescriptor(), file);
        var image = message.GetProperty("image").GetString();
        if (image != _pages.Identity.ToString())
        {
            throw new ProtocolException(
                $"the handler serves image {image?[..Math.Min(16, image.Length)]}, this standby {_pages.Identity.Short}"
            );
        }

        _log($"{HandlerEvent.StandsBy}: attached");
    }

    private void TakeVm(int id, JsonElement message)
    {
        var uffd = NextDescriptor();
        var socket = new UnixSocket(NextDescriptor());
        var monitor = new PidFd(NextDescriptor());
        var state = NextDescriptor();
        var form = message.GetProperty("form").GetString();
        var (memory, bitmap) = form == "memfd" ? (NextDescriptor(), NextDescriptor()) : (null, null);
        var file = form == "file" ? NextDescriptor() : null;
        var regions = RegionList.Parse(
            System.Text.Encoding.UTF8.GetBytes(message.GetProperty("regions").GetRawText()),
            _pages.PageCount
        );
        var map = new RegionMap(regions);
        Forget(id);
        _vms[id] = new VmDescriptors(
            id,
            Userfaultfd.Adopt(uffd),
            map,
            VmState.Attach(state, _pages.Identity),
            socket,
            monitor,
            memory is null ? null : new GuestMemfdSide(memory, bitmap!, map.PageLimit),
            file: file is null ? null : MemoryFile.Attach(file, map.PageLimit)
        );
        _log($"{HandlerEvent.Holds}: vm {id}: {regions.Sum(r => (long)(r.Bytes >> Page.Shift))} pages");
    }

    private void Forget(int id)
    {
        if (_vms.Remove(id, out var vm))
            vm.Dispose();
    }

    private OwnedFd NextDescriptor() =>
        _descriptors.TryDequeue(out var fd)
            ? fd
            : throw new ProtocolException("a message came without its descriptors");
}
