using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Userfault.Pages;

/// <summary>
/// CRC-32C (Castagnoli, as in iSCSI and SSE4.2). One chain of the crc32 instruction waits three cycles a step; four
/// chains over the quarters of a 4 KiB block keep the unit busy, and the three joints cost a table lookup each.
/// </summary>
public static unsafe class Crc32C
{
    private const int LaneBytes = 1024;
    private const int BlockBytes = 4 * LaneBytes;

    // What so many zero bytes make of a chain's state, split by the state's four bytes (the step is linear).
    private static readonly uint[] PastLane = MakeShift(LaneBytes);
    private static readonly uint[] PastPage = MakeShift(BlockBytes);

    /// <summary>The checksum of <paramref name="bytes"/>: 0 for none, 0xE3069283 for "123456789".</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>
    /// The checksum of bytes of which <paramref name="crc"/> is the checksum, followed by <paramref name="bytes"/>.
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        var state = ~crc;
        fixed (byte* start = &MemoryMarshal.GetReference(bytes))
        {
            var p = start;
            var left = bytes.Length;
            for (; left >= BlockBytes; left -= BlockBytes, p += BlockBytes)
                state = Block(state, p);
            for (; left >= 8; left -= 8, p += 8)
                state = BitOperations.Crc32C(state, Unsafe.ReadUnaligned<ulong>(p));
            for (; left >= 4; left -= 4, p += 4)
                state = BitOperations.Crc32C(state, Unsafe.ReadUnaligned<uint>(p));
            for (; left > 0; left--, p++)
                state = BitOperations.Crc32C(state, *p);
        }
        return ~state;
    }

    /// <summary>The checksum of one 4 KiB page at any address.</summary>
    public static uint OfPage(byte* page) => ~Block(~0u, page);

    /// <summary>
    /// The checksum of bytes with checksum <paramref name="head"/> followed by a page with checksum
    /// <paramref name="page"/>.
    /// </summary>
    public static uint AppendPage(uint head, uint page) => Shift(PastPage, head) ^ page;

    private static uint Block(uint state, byte* p)
    {
        uint a = state,
            b = 0,
            c = 0,
            d = 0;
        for (var end = p + LaneBytes; p < end; p += 8)
        {
            a = BitOperations.Crc32C(a, Unsafe.ReadUnaligned<ulong>(p));
            b = BitOperations.Crc32C(b, Unsafe.ReadUnaligned<ulong>(p + LaneBytes));
            c = BitOperations.Crc32C(c, Unsafe.ReadUnaligned<ulong>(p + (2 * LaneBytes)));
            d = BitOperations.Crc32C(d, Unsafe.ReadUnaligned<ulong>(p + (3 * LaneBytes)));
        }
        return Shift(PastLane, Shift(PastLane, Shift(PastLane, a) ^ b) ^ c) ^ d;
    }

    private static uint Shift(uint[] tables, uint state)
    {
        ref var table = ref MemoryMarshal.GetArrayDataReference(tables);
        return Unsafe.Add(ref table, (nint)(byte)state)
            ^ Unsafe.Add(ref table, (nint)(256 + (byte)(state >> 8)))
            ^ Unsafe.Add(ref table, (nint)(512 + (byte)(state >> 16)))
            ^ Unsafe.Add(ref table, (nint)(768 + (state >> 24)));
    }

    private static uint[] MakeShift(int zeroBytes)
    {
        var table = new uint[4 * 256];
        for (var i = 0; i < table.Length; i++)
        {
            var state = (uint)(i & 255) << (i / 256 * 8);
            for (var word = 0; word < zeroBytes / 8; word++)
                state = BitOperations.Crc32C(state, 0UL);
            table[i] = state;
        }
        return table;
    }
}
