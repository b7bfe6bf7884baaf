using System.Numerics;
using System.Runtime.CompilerServices;
using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// CRC32C (Castagnoli: reflected polynomial 0x82f63b78, start and end inverted), by the machine's own instruction where it
/// has one. A page is four chains of 1 KiB beside each other, because one chain waits three cycles for every word.
/// </summary>
internal static unsafe class Crc32C
{
    private const int LaneBytes = Page.Size / 4;

    private static readonly uint[] PastLane = MakeShift(LaneBytes);
    private static readonly uint[] PastPage = MakeShift(Page.Size);

    /// <summary>Of any bytes, one chain: for headers.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        fixed (byte* start = bytes)
        {
            int i = 0;
            for (; i <= bytes.Length - sizeof(ulong); i += sizeof(ulong))
            {
                crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(start + i));
            }
            for (; i < bytes.Length; i++)
            {
                crc = BitOperations.Crc32C(crc, start[i]);
            }
        }
        return ~crc;
    }

    /// <summary>Of the 4096 bytes at <paramref name="page"/>.</summary>
    public static uint OfPage(byte* page)
    {
        uint a = uint.MaxValue, b = 0, c = 0, d = 0;
        for (byte* p = page; p < page + LaneBytes; p += sizeof(ulong))
        {
            a = BitOperations.Crc32C(a, Unsafe.ReadUnaligned<ulong>(p));
            b = BitOperations.Crc32C(b, Unsafe.ReadUnaligned<ulong>(p + LaneBytes));
            c = BitOperations.Crc32C(c, Unsafe.ReadUnaligned<ulong>(p + (2 * LaneBytes)));
            d = BitOperations.Crc32C(d, Unsafe.ReadUnaligned<ulong>(p + (3 * LaneBytes)));
        }
        return ~(Shift(PastLane, Shift(PastLane, Shift(PastLane, a) ^ b) ^ c) ^ d);
    }

    /// <summary>Of what <paramref name="head"/> is the CRC of, followed by a page whose CRC is <paramref name="page"/>.</summary>
    public static uint AppendPage(uint head, uint page) => Shift(PastPage, head) ^ page;

    /// <summary>Of <paramref name="pages"/> pages that lie together.</summary>
    public static uint OfPages(byte* first, int pages)
    {
        uint crc = OfPage(first);
        for (int i = 1; i < pages; i++)
        {
            crc = AppendPage(crc, OfPage(first + ((long)i * Page.Size)));
        }
        return crc;
    }

    // What a CRC register becomes after that many zero bytes is linear in it: a table for each of its four bytes.
    private static uint Shift(uint[] table, uint crc) =>
        table[crc & 0xff] ^ table[0x100 + ((crc >> 8) & 0xff)]
        ^ table[0x200 + ((crc >> 16) & 0xff)] ^ table[0x300 + (crc >> 24)];

    private static uint[] MakeShift(int zeroBytes)
    {
        var table = new uint[4 * 256];
        for (int i = 0; i < table.Length; i++)
        {
            uint crc = (uint)(i & 0xff) << (8 * (i >> 8));
            for (int n = 0; n < zeroBytes; n += sizeof(ulong))
            {
                crc = BitOperations.Crc32C(crc, 0UL);
            }
            table[i] = crc;
        }
        return table;
    }
}
