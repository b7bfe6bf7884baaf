using System.Runtime.Intrinsics;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Is a page all zero? The commonest duplicate of all, and the only one that needs no bytes anywhere.
/// </summary>
public static unsafe class ZeroPage
{
    /// <summary>Are all 4096 bytes at <paramref name="page"/> (any alignment) zero?</summary>
    public static bool IsZero(byte* page)
    {
        // Most pages are not zero, and most of those say so in the first words.
        if (*(ulong*)page != 0)
            return false;
        return Vector512.IsHardwareAccelerated ? IsZero512(page) : IsZero256(page);
    }

    // Eight loads a turn, or-ed in a tree: the branch is the price, so it is paid once a half kilobyte.
    private static bool IsZero512(byte* page)
    {
        for (var p = page; p < page + Page.Size; p += 512)
        {
            var a = Vector512.Load(p) | Vector512.Load(p + 64);
            var b = Vector512.Load(p + 128) | Vector512.Load(p + 192);
            var c = Vector512.Load(p + 256) | Vector512.Load(p + 320);
            var d = Vector512.Load(p + 384) | Vector512.Load(p + 448);
            if (((a | b) | (c | d)) != Vector512<byte>.Zero)
                return false;
        }
        return true;
    }

    // Vector256 falls to two 128-bit or to scalar operations by itself where the machine has no more.
    private static bool IsZero256(byte* page)
    {
        for (var p = page; p < page + Page.Size; p += 256)
        {
            var a = Vector256.Load(p) | Vector256.Load(p + 32);
            var b = Vector256.Load(p + 64) | Vector256.Load(p + 96);
            var c = Vector256.Load(p + 128) | Vector256.Load(p + 160);
            var d = Vector256.Load(p + 192) | Vector256.Load(p + 224);
            if (((a | b) | (c | d)) != Vector256<byte>.Zero)
                return false;
        }
        return true;
    }
}
