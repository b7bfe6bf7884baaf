using System.Buffers;
using System.Net.Sockets;
using Userfault.Linux;

namespace Userfault.Qemu;

/// <summary>
/// The sending half of a connection to the destination: bytes that the socket did not take yet. The socket does not
/// block, and its send buffer is small: a page that is requested waits behind all that is in there.
/// </summary>
internal sealed class OutputChannel : IBufferWriter<byte>, IDisposable
{
    private const int SendBufferBytes = 128 << 10;
    private readonly Socket _socket;
    private byte[] _buffer = new byte[256 << 10];
    private int _start;
    private int _end;

    /// <summary>Takes a connected socket over.</summary>
    public OutputChannel(Socket socket)
    {
        _socket = socket;
        socket.Blocking = false;
        socket.SendBufferSize = SendBufferBytes;
        if (socket.ProtocolType == ProtocolType.Tcp)
            socket.NoDelay = true;
    }

    /// <summary>The descriptor, to wait for.</summary>
    public nint Fd => _socket.SafeHandle.DangerousGetHandle();

    /// <summary>Bytes that wait to be sent.</summary>
    public int Pending => _end - _start;

    /// <summary>Has the other end read all that was sent? Over TCP, has it received it?</summary>
    public bool IsRead => Pending == 0 && SocketQueue.Unread(Fd) == 0;

    /// <summary>Bytes that were sent.</summary>
    public long Sent { get; private set; }

    /// <inheritdoc/>
    public void Advance(int count) => _end += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_end);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _buffer.AsSpan(_end);
    }

    /// <summary>Sends what the socket takes now.</summary>
    /// <returns>Is nothing left?</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public bool Flush()
    {
        while (_start < _end)
        {
            var sent = _socket.Send(_buffer.AsSpan(_start, _end - _start), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
                return false;
            if (error != SocketError.Success)
                throw new SocketException((int)error);
            _start += sent;
            Sent += sent;
        }

        (_start, _end) = (0, 0);
        return true;
    }

    /// <summary>Reads what has arrived.</summary>
    /// <returns>How many bytes; 0 where the other end has closed, -1 where nothing is there.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public int Receive(Span<byte> buffer)
    {
        var received = _socket.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return -1;
        return error == SocketError.Success ? received : throw new SocketException((int)error);
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private void MakeRoom(int bytes)
    {
        if (_buffer.Length - _end >= bytes)
            return;
        var pending = Pending;
        var to =
            pending + bytes > _buffer.Length / 2 ? new byte[Math.Max(2 * _buffer.Length, pending + bytes)] : _buffer;
        _buffer.AsSpan(_start, pending).CopyTo(to);
        (_buffer, _start, _end) = (to, 0, pending);
    }
}
