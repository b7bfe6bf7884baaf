using System.Buffers.Binary;

namespace Userfault.Qemu;

/// <summary>
/// Cuts the return path into messages: be16 kind, be16 length, payload. Bytes come in pieces of any size. A bitmap is
/// longer than its length says: behind the block's name come a length of its own, the bits and an end mark.
/// </summary>
/// <param name="maxBitmapBytes">Bytes of the longest bitmap that may come.</param>
internal sealed class ReturnPathReader(ulong maxBitmapBytes)
{
    private const ulong BitmapEnd = 0x0123456789abcdef;
    private const int HeadBytes = 4;

    private byte[] _pending = new byte[4096];
    private int _start;
    private int _end;
    private string? _block;

    /// <summary>Takes bytes in.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_pending.Length - _end < bytes.Length)
            MakeRoom(bytes.Length);
        bytes.CopyTo(_pending.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>The next whole message; unknown kinds are passed over by their length.</summary>
    /// <exception cref="ReturnPathException">The destination breaks the protocol.</exception>
    public bool TryRead(out ReturnMessage message)
    {
        while (true)
        {
            message = default;
            var bytes = _pending.AsSpan(_start, _end - _start);
            if (bytes.Length < HeadBytes)
                return false;
            var kind = (ReturnKind)BinaryPrimitives.ReadUInt16BigEndian(bytes);
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            var taken = HeadBytes + length;
            if (bytes.Length < taken)
                return false;
            var payload = bytes[HeadBytes..taken];
            var isKnown = true;
            switch (kind)
            {
                case ReturnKind.Shut or ReturnKind.Pong or ReturnKind.ResumeAck:
                    RequireLength(kind, length, 4);
                    message = new ReturnMessage(kind, BinaryPrimitives.ReadUInt32BigEndian(payload));
                    break;
                case ReturnKind.RequestPagesOfBlock:
                    if (length < 13 || payload[12] != length - 13)
                        throw new ReturnPathException($"a request for pages of {length} bytes");
                    _block = StreamCursor.Text(payload[13..]);
                    message = Request(kind, payload);
                    break;
                case ReturnKind.RequestPages:
                    RequireLength(kind, length, 12);
                    if (_block is null)
                        throw new ReturnPathException("the first request for pages names no block");
                    message = Request(kind, payload);
                    break;
                case ReturnKind.ReceivedBitmap:
                    if (!TryReadBitmap(bytes, length, out message, out taken))
                        return false;
                    break;
                default:
                    isKnown = false;
                    break;
            }
            _start += taken;
            if (isKnown)
                return true;
        }
    }

    private ReturnMessage Request(ReturnKind kind, ReadOnlySpan<byte> payload) =>
        new(
            kind,
            Block: _block,
            Offset: BinaryPrimitives.ReadUInt64BigEndian(payload),
            Bytes: BinaryPrimitives.ReadUInt32BigEndian(payload[8..])
        );

    private bool TryReadBitmap(ReadOnlySpan<byte> bytes, ushort length, out ReturnMessage message, out int taken)
    {
        (message, taken) = (default, 0);
        if (length == 0 || bytes[HeadBytes] != length - 1)
            throw new ReturnPathException($"a bitmap whose block's name takes {length} bytes");
        var head = HeadBytes + length + 8;
        if (bytes.Length < head)
            return false;
        var size = BinaryPrimitives.ReadUInt64BigEndian(bytes[(HeadBytes + length)..]);
        if (size > maxBitmapBytes)
            throw new ReturnPathException($"a bitmap of {size} bytes; the largest block's takes {maxBitmapBytes}");
        if ((ulong)bytes.Length < (ulong)head + size + 8)
            return false;
        if (BinaryPrimitives.ReadUInt64BigEndian(bytes[(head + (int)size)..]) != BitmapEnd)
            throw new ReturnPathException("a bitmap without its end mark");
        message = new ReturnMessage(
            ReturnKind.ReceivedBitmap,
            Block: StreamCursor.Text(bytes[(HeadBytes + 1)..(HeadBytes + length)]),
            Bitmap: _pending.AsMemory(_start + head, (int)size)
        );
        taken = head + (int)size + 8;
        return true;
    }

    private void MakeRoom(int bytes)
    {
        var kept = _end - _start;
        var to = kept + bytes > _pending.Length ? new byte[Math.Max(kept + bytes, 2 * _pending.Length)] : _pending;
        _pending.AsSpan(_start, kept).CopyTo(to);
        (_pending, _start, _end) = (to, 0, kept);
    }

    private static void RequireLength(ReturnKind kind, ushort length, int wanted)
    {
        if (length != wanted)
            throw new ReturnPathException($"{kind} of {length} bytes, not {wanted}");
    }
}
