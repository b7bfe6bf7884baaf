using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Userfault.Linux;

namespace Userfault.DataPlane;

/// <summary>
/// Plain TCP with a blocking receive. On Linux sends do not block: the requester may be an actor, which a server that
/// does not read must not stop. Elsewhere a send may wait, for at most the given timeout.
/// </summary>
internal sealed unsafe class SocketTransport : IClientTransport
{
    private readonly EndPoint _server;
    private readonly Socket _socket;
    private int _fd = -1;

    public SocketTransport(EndPoint server, TimeSpan sendTimeout)
    {
        _server = server;
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            SendTimeout = (int)sendTimeout.TotalMilliseconds,
        };
    }

    public void Connect()
    {
        _socket.Connect(_server);
        Loopback.Prepare(_socket);
        if (OperatingSystem.IsLinux())
        {
            _fd = (int)_socket.Handle;
        }
    }

    public string ClosedText => "the server closed the connection";

    public int? Descriptor => _fd < 0 ? null : _fd;

    public int Receive(Span<byte> into) => _socket.Receive(into);

    public int? TryReceive(Span<byte> into)
    {
        fixed (byte* start = into)
        {
            var received = Libc.Receive(_fd, start, (nuint)into.Length, Libc.MSG_DONTWAIT);
            if (received >= 0)
            {
                return (int)received;
            }
            var error = Marshal.GetLastPInvokeError();
            return error is (int)LinuxErrno.EAGAIN or (int)LinuxErrno.EINTR
                ? null
                : throw new IOException($"recv: errno {error}");
        }
    }

    public void Shutdown()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other end was faster.
        }
    }

    public int Send(ReadOnlySpan<byte> bytes)
    {
        if (_fd < 0)
        {
            return _socket.Send(bytes);
        }
        var isHeld = false;
        try
        {
            // The descriptor stays this socket's during the call, even if another thread disposes of the socket.
            _socket.SafeHandle.DangerousAddRef(ref isHeld);
            return SendNow(bytes);
        }
        finally
        {
            if (isHeld)
            {
                _socket.SafeHandle.DangerousRelease();
            }
        }
    }

    /// <summary>Also ends a blocked receive.</summary>
    public void Dispose() => _socket.Dispose();

    private int SendNow(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            var vector = new IoVector(start, (nuint)bytes.Length);
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1 };
            var sent = Libc.SendMessage(_fd, &message, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (sent >= 0)
            {
                return (int)sent;
            }
            var error = Marshal.GetLastPInvokeError();
            return error is (int)LinuxErrno.EAGAIN or (int)LinuxErrno.EINTR
                ? 0
                : throw new IOException($"sendmsg: errno {error}");
        }
    }
}
