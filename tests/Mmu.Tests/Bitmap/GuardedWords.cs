using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests;

/// <summary>
/// Caller's memory for a bitmap: guard words on both sides, and the bits of the last word that belong to no page filled
/// with a pattern. Nothing but the bitmap's own bits may ever change.
/// </summary>
internal sealed unsafe class GuardedWords : IDisposable
{
    private const ulong Guard = 0xa5a5_5a5a_dead_beefUL;
    private const ulong Tail = 0x9999_6666_9999_6666UL;

    // Odd, so that the words are 8-byte aligned and no vector's natural alignment is met by chance.
    private const ulong GuardWords = 9;

    private readonly ulong* _memory;
    private readonly ulong _pages;
    private readonly ulong _count;

    public GuardedWords(ulong pages)
    {
        _pages = pages;
        _count = (pages + 63) / 64;
        _memory = (ulong*)NativeMemory.AlignedAlloc((nuint)((_count + (2 * GuardWords)) * 8), 64);
        for (var i = 0UL; i < _count + (2 * GuardWords); i++)
            _memory[i] = Guard;
        for (var i = 0UL; i < _count; i++)
            Words[i] = 0;
        if (pages % 64 != 0)
            Words[_count - 1] = Tail & TailMask;
    }

    public ulong* Words => _memory + GuardWords;

    private ulong TailMask => ulong.MaxValue << (int)(_pages % 64);

    /// <summary>Null, or what was overwritten.</summary>
    public string? Damage()
    {
        for (var i = 0UL; i < GuardWords; i++)
        {
            if (_memory[i] != Guard)
                return $"guard word {i} before the bitmap";
            if (Words[_count + i] != Guard)
                return $"guard word {i} behind the bitmap";
        }
        var tailIntact = _pages % 64 == 0 || (Words[_count - 1] & TailMask) == (Tail & TailMask);
        return tailIntact ? null : "the bits behind the last page";
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
