using System.Buffers.Binary;
using System.Text;

namespace Userfault.Qemu;

/// <summary>
/// A place in the bytes of a stream that moves forward. Nothing is read beyond the end: a call that asks for more than
/// there is gets <see cref="StreamError.CutOff"/>. Integers are big endian.
/// </summary>
/// <param name="path">The file, for messages.</param>
/// <param name="bytes">Its first byte.</param>
/// <param name="length">How many bytes it has.</param>
/// <param name="position">Where to begin.</param>
internal unsafe ref struct StreamCursor(string path, byte* bytes, ulong length, ulong position)
{
    /// <summary>The file, for messages.</summary>
    public readonly string Path => path;

    /// <summary>Offset of the next byte in the file.</summary>
    public ulong Position { get; private set; } = position;

    /// <summary>Bytes in the file.</summary>
    public readonly ulong Length => length;

    /// <summary>The next byte, which stays the next.</summary>
    public readonly byte Peek()
    {
        Require(1, "the next element");
        return bytes[Position];
    }

    /// <summary>One byte.</summary>
    public byte Byte(string what)
    {
        Require(1, what);
        return bytes[Position++];
    }

    /// <summary>Two bytes.</summary>
    public ushort UInt16(string what) => BinaryPrimitives.ReadUInt16BigEndian(Take(2, what));

    /// <summary>Four bytes.</summary>
    public uint UInt32(string what) => BinaryPrimitives.ReadUInt32BigEndian(Take(4, what));

    /// <summary>Eight bytes.</summary>
    public ulong UInt64(string what) => BinaryPrimitives.ReadUInt64BigEndian(Take(8, what));

    /// <summary>A length byte and so many bytes.</summary>
    public string CountedString(string what) => Text(Take(Byte(what), what));

    /// <summary>
    /// A counted string that names something, as QEMU has names: printable ASCII, at least one character. It is shown
    /// to users, and sent to the destination.
    /// </summary>
    public string CountedName(string what) => Name(CountedBytes(what), what);

    /// <summary>The same of bytes that were taken.</summary>
    public readonly string Name(ReadOnlySpan<byte> name, string what) =>
        name.Length > 0 && !name.ContainsAnyExceptInRange((byte)' ', (byte)'~')
            ? Encoding.ASCII.GetString(name)
            : throw Corrupt($"{what} is '{Text(name)}'");

    /// <summary>The bytes of a counted string, as they lie in the file.</summary>
    public ReadOnlySpan<byte> CountedBytes(string what) => Take(Byte(what), what);

    /// <summary>Bytes as they lie in the file.</summary>
    public ReadOnlySpan<byte> Take(uint count, string what)
    {
        Require(count, what);
        var taken = new ReadOnlySpan<byte>(bytes + Position, (int)count);
        Position += count;
        return taken;
    }

    /// <summary>Passes over bytes.</summary>
    public void Skip(ulong count, string what)
    {
        Require(count, what);
        Position += count;
    }

    /// <summary>Goes on at another place, which must not lie behind.</summary>
    public void MoveTo(ulong target, string what)
    {
        if (target < Position)
            throw Corrupt($"{what} at byte {target} lies before byte {Position}");
        Skip(target - Position, what);
    }

    /// <summary>The bytes contradict themselves, here.</summary>
    public readonly StreamException Corrupt(string problem) =>
        new(StreamError.Corrupt, path, $"byte {Position}: {problem}", "save the guest again");

    /// <summary>What a name in the file reads as; it may hold anything.</summary>
    public static string Text(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name);

    private readonly void Require(ulong count, string what)
    {
        if (length - Position < count)
        {
            throw new StreamException(
                StreamError.CutOff,
                path,
                $"{what} at byte {Position} takes {count} bytes, and the file has {length}",
                "copy the whole file, or save the guest again and wait for its end"
            );
        }
    }
}
