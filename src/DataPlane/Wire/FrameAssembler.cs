namespace Userfault.DataPlane;

/// <summary>
/// Cuts a stream of bytes into frames. A frame that is complete in the input is returned in place; only one that is
/// split between two reads is copied, so at most one frame of the maximum size is buffered.
/// </summary>
internal sealed class FrameAssembler(int maxPayloadBytes)
{
    private byte[] _partial = [];
    private int _have;

    /// <summary>Is there an incomplete frame?</summary>
    public bool IsMidFrame => _have > 0;

    /// <summary>
    /// Takes the next frame from <paramref name="input"/> and advances that past it. <paramref name="payload"/> is
    /// valid until the next call. False if no complete frame is available or, with <paramref name="isBroken"/>, if the
    /// header is not valid.
    /// </summary>
    public bool TryNext(
        ref ReadOnlySpan<byte> input,
        out FrameHeader header,
        out ReadOnlySpan<byte> payload,
        out bool isBroken
    )
    {
        header = default;
        payload = default;
        isBroken = false;
        if (_have == 0 && input.Length >= FrameHeader.Size)
        {
            isBroken = !FrameHeader.TryRead(input, maxPayloadBytes, out header);
            if (isBroken)
            {
                return false;
            }
            var size = FrameHeader.Size + header.PayloadBytes;
            if (input.Length >= size)
            {
                payload = input[FrameHeader.Size..size];
                input = input[size..];
                return true;
            }
        }
        return TryComplete(ref input, out header, out payload, out isBroken);
    }

    private bool TryComplete(
        ref ReadOnlySpan<byte> input,
        out FrameHeader header,
        out ReadOnlySpan<byte> payload,
        out bool isBroken
    )
    {
        payload = default;
        header = default;
        isBroken = false;
        Take(ref input, FrameHeader.Size);
        if (_have < FrameHeader.Size)
        {
            return false;
        }
        isBroken = !FrameHeader.TryRead(_partial, maxPayloadBytes, out header);
        if (isBroken)
        {
            return false;
        }
        var size = FrameHeader.Size + header.PayloadBytes;
        Take(ref input, size);
        if (_have < size)
        {
            return false;
        }
        payload = _partial.AsSpan(FrameHeader.Size, header.PayloadBytes);
        _have = 0;
        return true;
    }

    private void Take(ref ReadOnlySpan<byte> input, int upTo)
    {
        var bytes = Math.Min(upTo - _have, input.Length);
        if (bytes <= 0)
        {
            return;
        }
        if (_partial.Length < upTo)
        {
            Array.Resize(ref _partial, upTo);
        }
        input[..bytes].CopyTo(_partial.AsSpan(_have));
        _have += bytes;
        input = input[bytes..];
    }
}
