using System.Runtime.CompilerServices;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Tests;

/// <summary>Page-sized memory that does not move, and ways to look at pages.</summary>
internal static unsafe class Bytes
{
    public static byte[] Buffer(int size = Page.Size) => GC.AllocateArray<byte>(size, pinned: true);

    public static byte* Pointer(byte[] pinned) => (byte*)Unsafe.AsPointer(ref pinned[0]);

    /// <summary>A copy of a page; zeros for a hole.</summary>
    public static byte[] PageOf(IMemoryImage image, ulong memoryPage)
    {
        var scratch = stackalloc byte[Page.Size];
        var page = image.Read(new MemoryPage(memoryPage), scratch);
        return page == null ? new byte[Page.Size] : new ReadOnlySpan<byte>(page, Page.Size).ToArray();
    }

    public static byte[] PageOf(in PageContent content) =>
        content.Kind == PageContentKind.Zero
            ? new byte[Page.Size]
            : new ReadOnlySpan<byte>(content.Bytes, Page.Size).ToArray();

    /// <summary>Seeded bytes, none of them zero.</summary>
    public static byte[] Noise(int size, int seed)
    {
        var bytes = new byte[size];
        var random = new Random(seed);
        for (var i = 0; i < size; i++)
            bytes[i] = (byte)random.Next(1, 256);
        return bytes;
    }
}
