using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Userfault.Mmu.Tests;

/// <summary>
/// Every vector width against a loop over words. Widths that this machine lacks are emulated by the runtime, so all
/// paths run everywhere; which one production code takes is a constant of the machine.
/// </summary>
public unsafe class WordScanTests
{
    private const ulong Longest = 70;

    [Theory]
    [InlineData(512)]
    [InlineData(256)]
    [InlineData(128)]
    [InlineData(64)]
    public void The_first_other_word_is_found_wherever_it_lies(int bits)
    {
        switch (bits)
        {
            case 512:
                FirstOther<Words512, Vector512<ulong>>(0);
                FirstOther<Words512, Vector512<ulong>>(ulong.MaxValue);
                break;
            case 256:
                FirstOther<Words256, Vector256<ulong>>(0);
                FirstOther<Words256, Vector256<ulong>>(ulong.MaxValue);
                break;
            case 128:
                FirstOther<Words128, Vector128<ulong>>(0);
                FirstOther<Words128, Vector128<ulong>>(ulong.MaxValue);
                break;
            default:
                FirstOther<Words64, ulong>(0);
                FirstOther<Words64, ulong>(ulong.MaxValue);
                break;
        }
    }

    private static void FirstOther<TWords, TVector>(ulong value)
        where TWords : struct, IWordVector<TVector>
        where TVector : unmanaged
    {
        using var memory = new Buffer(value);
        for (var from = 0UL; from <= 9; from++)
        {
            for (var end = from; end <= Longest; end++)
            {
                // What lies outside [from, end) must not be looked at.
                if (from > 0)
                    memory.Words[from - 1] = ~value;
                memory.Words[end] = ~value;
                Assert.Equal(end, WordScan<TWords, TVector>.IndexOfOther(memory.Words, from, end, value));
                for (var at = from; at < end; at++)
                {
                    memory.Words[at] = value ^ (1UL << (int)(at * 7 % 64));
                    Assert.Equal(at, WordScan<TWords, TVector>.IndexOfOther(memory.Words, from, end, value));
                    memory.Words[at] = value;
                }
                memory.Words[end] = value;
                if (from > 0)
                    memory.Words[from - 1] = value;
            }
        }
    }

    [Theory]
    [InlineData(512)]
    [InlineData(256)]
    [InlineData(128)]
    [InlineData(64)]
    public void The_first_difference_is_found_wherever_it_lies(int bits)
    {
        switch (bits)
        {
            case 512:
                FirstDifference<Words512, Vector512<ulong>>();
                break;
            case 256:
                FirstDifference<Words256, Vector256<ulong>>();
                break;
            case 128:
                FirstDifference<Words128, Vector128<ulong>>();
                break;
            default:
                FirstDifference<Words64, ulong>();
                break;
        }
    }

    private static void FirstDifference<TWords, TVector>()
        where TWords : struct, IWordVector<TVector>
        where TVector : unmanaged
    {
        using var left = new Buffer(0x5555_5555_5555_5555UL);
        using var right = new Buffer(ulong.MaxValue);
        for (var from = 0UL; from <= 5; from++)
        {
            for (var end = from; end <= Longest; end++)
            {
                right.Words[end] = 0;
                Assert.Equal(end, WordScan<TWords, TVector>.IndexOfDifference(left.Words, right.Words, from, end));
                for (var at = from; at < end; at++)
                {
                    right.Words[at] = ~0x4000_0000_0000_0000UL;
                    Assert.Equal(at, WordScan<TWords, TVector>.IndexOfDifference(left.Words, right.Words, from, end));
                    right.Words[at] = ulong.MaxValue;
                }
                right.Words[end] = ulong.MaxValue;
            }
        }
    }

    [Theory]
    [InlineData(512)]
    [InlineData(256)]
    [InlineData(128)]
    [InlineData(64)]
    public void The_difference_is_written_over_exactly_its_words(int bits)
    {
        switch (bits)
        {
            case 512:
                AndNot<Words512, Vector512<ulong>>();
                break;
            case 256:
                AndNot<Words256, Vector256<ulong>>();
                break;
            case 128:
                AndNot<Words128, Vector128<ulong>>();
                break;
            default:
                AndNot<Words64, ulong>();
                break;
        }
    }

    private static void AndNot<TWords, TVector>()
        where TWords : struct, IWordVector<TVector>
        where TVector : unmanaged
    {
        var random = new Random(4242);
        using var left = new Buffer(0);
        using var right = new Buffer(0);
        using var result = new Buffer(0);
        for (var count = 0UL; count <= Longest; count++)
        {
            for (var i = 0UL; i <= count; i++)
            {
                left.Words[i] = (ulong)random.NextInt64() << 1;
                right.Words[i] = (ulong)random.NextInt64();
                result.Words[i] = 0x1234;
            }
            WordScan<TWords, TVector>.AndNot(left.Words, right.Words, result.Words, count);
            Assert.Equal(0x1234UL, result.Words[count]);
            for (var i = 0UL; i < count; i++)
                Assert.Equal(left.Words[i] & ~right.Words[i], result.Words[i]);
        }
    }

    // 8-byte aligned and no better, as a caller's memory may be.
    private sealed class Buffer : IDisposable
    {
        private readonly ulong* _memory = (ulong*)NativeMemory.AlignedAlloc((nuint)((Longest + 2) * 8), 64);

        public Buffer(ulong value) => new Span<ulong>(_memory, (int)Longest + 2).Fill(value);

        public ulong* Words => _memory + 1;

        public void Dispose() => NativeMemory.AlignedFree(_memory);
    }
}
