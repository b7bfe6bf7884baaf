using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Userfault.Paging;

/// <summary>
/// Plain TCP with a blocking receive. On Linux sends do not block: who asks for pages may be an actor, and a server that
/// does not read must not stop it. Elsewhere a send may wait, for at most the timeout given.
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

    public int Receive(Span<byte> into) => _socket.Receive(into);

    public int Send(ReadOnlySpan<byte> bytes)
    {
        if (_fd < 0)
        {
            return _socket.Send(bytes);
        }
        bool isHeld = false;
        try
        {
            // The number stays this socket's while it is used, whoever disposes of it meanwhile.
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

    /// <summary>Ends a blocked receive, too.</summary>
    public void Dispose() => _socket.Dispose();

    private int SendNow(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            var vector = new Iovec(start, (nuint)bytes.Length);
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1 };
            nint sent = Libc.SendMessage(_fd, &message, Libc.DontWait | Libc.NoSignal);
            if (sent >= 0)
            {
                return (int)sent;
            }
            int error = Marshal.GetLastPInvokeError();
            return error is Libc.EAGAIN or Libc.EINTR
                ? 0
                : throw new IOException($"sendmsg: errno {error}");
        }
    }
}
