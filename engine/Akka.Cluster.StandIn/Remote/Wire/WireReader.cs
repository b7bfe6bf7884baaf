using System.Buffers.Binary;
using System.Text;

namespace Akka.Remote.Wire;

/// <summary>Reads what <see cref="WireWriter"/> wrote. Never reads past the end, never allocates more than is there.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly int Remaining => _rest.Length;

    public byte Byte() => Take(1)[0];

    public bool Bool() => Byte() switch
    {
        0 => false,
        1 => true,
        var other => throw new WireFormatException($"{other} is no truth value"),
    };

    public int UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ReadOnlySpan<byte> Raw(int count) => Take(count);

    public ReadOnlySpan<byte> Block() => Take(Int32());

    public ReadOnlySpan<byte> ShortBlock() => Take(UInt16());

    public string Text() => Encoding.UTF8.GetString(ShortBlock());

    public ReadOnlySpan<byte> ToEnd() => Take(_rest.Length);

    /// <summary>A count of elements that follow; each takes at least <paramref name="leastBytes"/>, so a lie is seen before anything is allocated.</summary>
    public int Count(int leastBytes)
    {
        var count = Int32();
        if (count < 0 || (long)count * leastBytes > _rest.Length)
            throw new WireFormatException($"{count} elements do not fit in {_rest.Length} bytes");
        return count;
    }

    public readonly void End()
    {
        if (_rest.Length != 0)
            throw new WireFormatException($"{_rest.Length} bytes too many");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)_rest.Length)
            throw new WireFormatException($"{count} bytes asked for, {_rest.Length} are there");
        var span = _rest[..count];
        _rest = _rest[count..];
        return span;
    }
}
