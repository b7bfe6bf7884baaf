using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// A 64-bit tag that stands for a page's content, the same on every machine, with or without vector instructions. Good
/// against accidents, not against an adversary: whoever must not be fooled compares bytes (<see cref="ContentIndex"/>
/// does).
/// </summary>
/// <remarks>
/// Eight lanes take a line of 64 bytes at a time. A lane turns by 13 bits, takes in the product of its keyed word's two
/// halves, and the plain word of its neighbour, so that a half that happens to be zero loses nothing; its key moves on
/// with every line, so that lines cannot change places. (The shape is that of XXH3's accumulators.)
/// </remarks>
public static unsafe class PageTag
{
    /// <summary>The tag of the zero page; no other page has it.</summary>
    public const ulong Zero = 0;

    private const int Lanes = 8;
    private const int LineBytes = Lanes * sizeof(ulong);
    private const int Turn = 13;
    private const ulong KeyStep = 0x9e3779b97f4a7c15;

    private static readonly ulong[] FirstLanes = Words(1);
    private static readonly ulong[] FirstKeys = Words(2);

    /// <summary>The tag of 4096 bytes at any address.</summary>
    public static ulong Of(byte* page)
    {
        if (ZeroPage.IsZero(page))
            return Zero;
        var lanes = stackalloc ulong[Lanes];
        if (Avx2.IsSupported)
            Gather256(page, lanes);
        else
            GatherScalar(page, lanes);
        return Finish(lanes);
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

    // The definition, word by word; what machines without AVX2 run.
    internal static ulong OfScalar(byte* page)
    {
        var lanes = stackalloc ulong[Lanes];
        GatherScalar(page, lanes);
        return ZeroPage.IsZero(page) ? Zero : Finish(lanes);
    }

    private static void GatherScalar(byte* page, ulong* lanes)
    {
        var keys = stackalloc ulong[Lanes];
        FirstLanes.CopyTo(new Span<ulong>(lanes, Lanes));
        FirstKeys.CopyTo(new Span<ulong>(keys, Lanes));
        for (var line = page; line < page + Page.Size; line += LineBytes)
        {
            for (var i = 0; i < Lanes; i++)
            {
                var keyed = Word(line, i) ^ keys[i];
                lanes[i] =
                    ulong.RotateLeft(lanes[i], Turn) + ((keyed & uint.MaxValue) * (keyed >> 32)) + Word(line, i ^ 1);
                keys[i] += KeyStep;
            }
        }
    }

    private static void Gather256(byte* page, ulong* lanes)
    {
        var (a, b) = (Vector256.Create(FirstLanes, 0), Vector256.Create(FirstLanes, 4));
        var (keyA, keyB) = (Vector256.Create(FirstKeys, 0), Vector256.Create(FirstKeys, 4));
        var step = Vector256.Create(KeyStep);
        for (var line = page; line < page + Page.Size; line += LineBytes)
        {
            a = TakeIn(a, Vector256.Load((ulong*)line), keyA);
            b = TakeIn(b, Vector256.Load((ulong*)line + 4), keyB);
            keyA += step;
            keyB += step;
        }
        a.Store(lanes);
        b.Store(lanes + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> TakeIn(Vector256<ulong> lane, Vector256<ulong> words, Vector256<ulong> key)
    {
        var keyed = words ^ key;
        var product = Avx2.Multiply(keyed.AsUInt32(), (keyed >> 32).AsUInt32());
        var neighbours = Avx2.Shuffle(words.AsUInt32(), 0b01_00_11_10).AsUInt64();
        // The parentheses keep the lane's own chain, which waits, at three steps.
        return ((lane << Turn) | (lane >> (64 - Turn))) + (product + neighbours);
    }

    private static ulong[] Words(ulong seed) => [.. Enumerable.Range(0, Lanes).Select(i => Mix64.At(seed, (ulong)i))];

    private static ulong Finish(ulong* lanes)
    {
        // Each lane by itself, so that the eight run beside each other.
        ulong sum = 0;
        for (var i = 0; i < Lanes; i++)
            sum += Mix64.Of(lanes[i] + ((ulong)i * KeyStep));
        var tag = Mix64.Of(sum);
        return tag == Zero ? 1 : tag;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(byte* line, int index) => Unsafe.ReadUnaligned<ulong>(line + (index * sizeof(ulong)));
}
