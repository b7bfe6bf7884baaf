using System.Buffers.Binary;

namespace Userfault.DataPlane;

/// <summary>
/// A client's outgoing frames. Entries for requests that are sent together share one frame. The size is bounded by the
/// outstanding requests, a cancellation for each of them, and a ping. Guarded by the client's lock.
/// </summary>
internal sealed class ClientOutput
{
    private byte[] _bytes = new byte[4096];
    private int _used;
    private int _openFrame = -1;

    public bool IsEmpty => _used == 0;

    public void Append(ReadOnlySpan<byte> frame)
    {
        frame.CopyTo(Take(frame.Length));
        _openFrame = -1;
    }

    public void AppendRequest(in RequestEntry entry)
    {
        if (_openFrame < 0 || _used - _openFrame > FrameHeader.Size + WireLimits.ClientPayloadBytes - RequestEntry.Size)
        {
            var start = _used;
            Take(FrameHeader.Size);
            _openFrame = start;
        }
        entry.Write(Take(RequestEntry.Size));
        new FrameHeader(_used - _openFrame - FrameHeader.Size, FrameType.Request, 0).Write(_bytes.AsSpan(_openFrame));
    }

    public void AppendCancel(uint number)
    {
        Span<byte> frame = stackalloc byte[FrameHeader.Size + sizeof(uint)];
        new FrameHeader(sizeof(uint), FrameType.Cancel, 0).Write(frame);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[FrameHeader.Size..], number);
        Append(frame);
    }

    public void AppendPing(ulong token)
    {
        Span<byte> frame = stackalloc byte[FrameHeader.Size + sizeof(ulong)];
        new FrameHeader(sizeof(ulong), FrameType.Ping, 0).Write(frame);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[FrameHeader.Size..], token);
        Append(frame);
    }

    public void AppendList()
    {
        Span<byte> frame = stackalloc byte[FrameHeader.Size];
        new FrameHeader(0, FrameType.List, 0).Write(frame);
        Append(frame);
    }

    /// <summary>
    /// Exchanges the contents for an empty array of the caller's, so that they can be sent without the lock.
    /// </summary>
    public int Swap(ref byte[] bytes)
    {
        (bytes, _bytes) = (_bytes, bytes);
        var used = _used;
        _used = 0;
        _openFrame = -1;
        return used;
    }

    private Span<byte> Take(int bytes)
    {
        if (_bytes.Length - _used < bytes)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + bytes));
        }
        var taken = _bytes.AsSpan(_used, bytes);
        _used += bytes;
        return taken;
    }
}
