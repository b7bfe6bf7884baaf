using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>Moves the bytes of whole pages.</summary>
public static unsafe class PageBytes
{
    private const int Line = 64;
    private const int Lines = 16;

    /// <summary>
    /// Copies a page to memory that is mostly cold. Where the machine can it writes around the caches: lines that are
    /// overwritten whole are not read first, and the copy does not push out what everybody else is working with. Such
    /// stores pass later ones: who tells others of the page does it by a locked instruction (every bitmap and mailbox
    /// does), which waits for them.
    /// </summary>
    /// <param name="from">4096 bytes, at any address.</param>
    /// <param name="to">4096 bytes.</param>
    public static void Copy(byte* from, byte* to)
    {
        if (!Avx.IsSupported || (nuint)to % (nuint)Vector256<byte>.Count != 0)
        {
            Unsafe.CopyBlockUnaligned(to, from, Page.Size);
            return;
        }

        for (var i = 0; i < Page.Size; i += 4 * Vector256<byte>.Count)
        {
            var a = Vector256.Load(from + i);
            var b = Vector256.Load(from + i + 32);
            var c = Vector256.Load(from + i + 64);
            var d = Vector256.Load(from + i + 96);
            a.StoreAlignedNonTemporal(to + i);
            b.StoreAlignedNonTemporal(to + i + 32);
            c.StoreAlignedNonTemporal(to + i + 64);
            d.StoreAlignedNonTemporal(to + i + 96);
        }
    }

    /// <summary>
    /// Asks for the head of a page that will be read soon; the machine's own prefetching does the rest.
    /// </summary>
    /// <param name="page">Its bytes; null and addresses that are not mapped are allowed.</param>
    public static void Expect(byte* page)
    {
        if (!Sse.IsSupported)
            return;
        for (var i = 0; i < Lines; i++)
            Sse.Prefetch0(page + (i * Line));
    }
}
