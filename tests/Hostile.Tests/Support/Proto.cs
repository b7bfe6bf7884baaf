using System.Buffers.Binary;
using System.Text;

namespace Userfault.Hostile.Tests;

/// <summary>Writes protocol buffers by hand, valid or not.</summary>
internal static class Proto
{
    public static byte[] Bytes(int field, byte[] value) => [.. Header(field, value.Length), .. value];

    public static byte[] Header(int field, int length) =>
        [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)length)];

    public static byte[] Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public static byte[] Number(int field, ulong value) => [.. Varint((ulong)field << 3), .. Varint(value)];

    public static byte[] Fixed(int field, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return [.. Varint(((ulong)field << 3) | 1), .. bytes];
    }

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
