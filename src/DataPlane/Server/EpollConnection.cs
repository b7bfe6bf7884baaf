using System.Net.Sockets;
using System.Runtime.InteropServices;
using Userfault.Linux;

namespace Userfault.DataPlane;

/// <summary>
/// One connection of the <see cref="EpollServer"/>: its socket, its session, and its unsent bytes.
/// </summary>
internal sealed unsafe class EpollConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly int _fd;
    private readonly SendBatch _batch = new();

    public EpollConnection(Socket socket, long number, ServerSession session, string peer, long nowMs)
    {
        _socket = socket;
        _fd = (int)socket.Handle;
        Number = number;
        Session = session;
        Peer = peer;
        LastProgressMs = nowMs;
    }

    public long Number { get; }

    public int Fd => _fd;

    public string Peer { get; }

    public ServerSession Session { get; }

    /// <summary>Is the send buffer full, so that epoll must report when it no longer is?</summary>
    public bool IsBlocked { get; set; }

    /// <summary>Is it in the list of connections that have more to send than one turn permits?</summary>
    public bool IsReady { get; set; }

    /// <summary>When the socket last accepted bytes, or had none to accept.</summary>
    public long LastProgressMs { get; private set; }

    /// <summary>
    /// Has everything been sent? Then the peer's remaining bytes are read and discarded until it closes.
    /// </summary>
    public bool IsLingering { get; private set; }

    public bool HasOutput => !_batch.IsEmpty || Session.HasOutput;

    public bool OwesBytes => !_batch.IsEmpty;

    /// <summary>Sends at most one batch. False if the connection is dead.</summary>
    public bool Send(long nowMs)
    {
        if (_batch.IsEmpty)
        {
            Session.Fill(_batch);
        }
        IsBlocked = false;
        while (!_batch.IsEmpty)
        {
            var pending = _batch.Pending;
            nint sent;
            fixed (IoVector* vectors = pending)
            {
                var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)pending.Length };
                sent = Libc.SendMessage(_fd, &message, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            }
            if (sent < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error == (int)LinuxErrno.EINTR)
                {
                    continue;
                }
                IsBlocked = error == (int)LinuxErrno.EAGAIN;
                return IsBlocked;
            }
            LastProgressMs = nowMs;
            _batch.Sent(sent);
        }
        LastProgressMs = nowMs;
        if (Session.IsClosed && !IsLingering)
        {
            // Closing with unread input resets the connection, and the peer might never read the reason for its
            // refusal.
            IsLingering = true;
            return TryHalfClose();
        }
        return true;
    }

    private bool TryHalfClose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            return true;
        }
        catch (SocketException)
        {
            // The peer has reset the connection in the meantime.
            return false;
        }
    }

    public void Dispose()
    {
        _batch.Dispose();
        Session.Dispose();
        _socket.Dispose();
    }
}
