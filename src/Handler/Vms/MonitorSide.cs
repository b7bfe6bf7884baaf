using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// The socket to the monitor after the handshake. In the main form nothing comes any more but its end. Owned by the
/// pager's thread; allocates nothing after construction.
/// </summary>
/// <param name="socket">The connection; not owned.</param>
internal class MonitorSide(UnixSocket socket)
{
    private readonly List<OwnedFd> _stray = [];

    /// <summary>The other end has closed it.</summary>
    public bool IsClosed { get; protected set; }

    /// <summary>Does any request wait for its answer?</summary>
    public virtual bool HasRequests => false;

    /// <summary>Which poll events to wait for.</summary>
    public virtual short Events => IsClosed ? (short)0 : Libc.POLLIN;

    /// <summary>The connection; not owned.</summary>
    protected UnixSocket Socket => socket;

    /// <summary>The socket's protocol after a VM's handshake.</summary>
    /// <param name="vm">The VM; not owned.</param>
    /// <param name="rest">Bytes that came glued to the handshake.</param>
    public static MonitorSide Of(VmDescriptors vm, ReadOnlySpan<byte> rest) =>
        vm.Memfd is null ? new MonitorSide(vm.Socket) : new RequestingMonitor(vm.Socket, vm.State, rest);

    /// <summary>Takes requests that are there; answers whether there is more to look at at once.</summary>
    /// <exception cref="ProtocolException">The monitor does not keep to the protocol.</exception>
    public virtual bool Take(Action<FaultRequest> serve) => false;

    /// <summary>Answers every request for these pages; answers that do not go now are tried again.</summary>
    /// <param name="isInPlace">Is the page of this offset in place?</param>
    public virtual void Answer(Func<ulong, bool> isInPlace) { }

    /// <summary>Serves what a dead process had read and not answered.</summary>
    public virtual void ServeAgain(Action<FaultRequest> serve) { }

    /// <summary>Poll reported one of <see cref="Events"/>, or the end of the connection.</summary>
    /// <param name="events">What it reported.</param>
    /// <param name="isInPlace">Is the page of this offset in place?</param>
    /// <param name="serve">Serves a request.</param>
    /// <exception cref="ProtocolException">The monitor does not keep to the protocol.</exception>
    public virtual void OnReady(short events, Func<ulong, bool> isInPlace, Action<FaultRequest> serve)
    {
        if (IsClosed)
            return;
        Span<byte> bytes = stackalloc byte[64];
        var received = Receive(bytes);
        if (received == 0)
            IsClosed = true;
        if (received > 0)
            throw new ProtocolException(ProtocolError.Unexpected, "the monitor sent something after the handshake");
    }

    /// <summary>What the socket has; 0 at its end, negative where there is nothing.</summary>
    protected int Receive(Span<byte> bytes)
    {
        try
        {
            var received = socket.Receive(bytes, _stray, wait: false);
            return _stray.Count == 0
                ? received
                : throw new ProtocolException(
                    ProtocolError.Unexpected,
                    "the monitor sent descriptors after the handshake"
                );
        }
        finally
        {
            foreach (var fd in _stray)
                fd.Dispose();
            _stray.Clear();
        }
    }
}
