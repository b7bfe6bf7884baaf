using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>Reads a page of a guest in this process, which may fault, and compares it.</summary>
internal static unsafe class PageCheck
{
    /// <summary>Does it hold what the image says?</summary>
    public static bool IsRight(IMemoryImage image, ulong page, byte* at)
    {
        var scratch = stackalloc byte[2 * Page.Size];
        new Span<byte>(scratch, Page.Size).Clear();
        var expected = image.Read(new MemoryPage(page), scratch + Page.Size);
        return NativeTouch.Equal(at, expected == null ? scratch : expected, Page.Size);
    }

    /// <summary>Does it read as zeros?</summary>
    public static bool IsZero(byte* at)
    {
        var zeros = stackalloc byte[Page.Size];
        new Span<byte>(zeros, Page.Size).Clear();
        return NativeTouch.Equal(at, zeros, Page.Size);
    }
}
