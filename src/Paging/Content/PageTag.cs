using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// A 64-bit tag that stands for a page's content: folded 128-bit products over four lanes. The same on every machine,
/// with or without vector instructions. Good against accidents, not against an adversary: whoever must not
/// be fooled compares bytes (<see cref="ContentIndex"/> does).
/// </summary>
public static unsafe class PageTag
{
    /// <summary>The tag of the zero page; no other page has it.</summary>
    public const ulong Zero = 0;

    private const ulong K0 = 0xa0761d6478bd642f;
    private const ulong K1 = 0xe7037ed1a0b428db;
    private const ulong K2 = 0x8ebc6af09c88c6e3;
    private const ulong K3 = 0x589965cc75374cc3;

    /// <summary>The tag of 4096 bytes at any address.</summary>
    public static ulong Of(byte* page)
    {
        if (ZeroPage.IsZero(page))
            return Zero;
        // Each lane folds the words of one quarter line; the multiplier chains of four lanes run beside each other.
        ulong a = K0, b = K1, c = K2, d = K3;
        for (var p = page; p < page + Page.Size; p += 64)
        {
            a = Fold(Word(p) ^ K1, Word(p + 8) ^ a);
            b = Fold(Word(p + 16) ^ K2, Word(p + 24) ^ b);
            c = Fold(Word(p + 32) ^ K3, Word(p + 40) ^ c);
            d = Fold(Word(p + 48) ^ K0, Word(p + 56) ^ d);
        }
        var tag = Fold(a ^ K2, b ^ K3) ^ Fold(c ^ K0, d ^ K1);
        return tag == Zero ? 1 : tag;
    }

    /// <summary>The tag of 4096 bytes.</summary>
    /// <exception cref="ArgumentException">Not exactly one page.</exception>
    public static ulong Of(ReadOnlySpan<byte> page)
    {
        if (page.Length != Page.Size)
            throw new ArgumentException("not one page", nameof(page));
        fixed (byte* p = &MemoryMarshal.GetReference(page))
            return Of(p);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(byte* p) => Unsafe.ReadUnaligned<ulong>(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong x, ulong y)
    {
        var high = Math.BigMul(x, y, out var low);
        return high ^ low;
    }
}
