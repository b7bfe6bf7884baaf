using System.Buffers.Binary;
using Userfault.Pages;

namespace Userfault.Qemu.Tests;

/// <summary>Writes indexes whose sums are right and whose content is not.</summary>
internal static class IndexForgery
{
    /// <summary>Puts an offset in the place of another.</summary>
    public static void SetOffset(byte[] index, ulong pages, ulong page, ulong offset)
    {
        var layout = new IndexLayout(pages);
        var offsets = (int)layout.Offsets;
        BinaryPrimitives.WriteUInt64LittleEndian(index.AsSpan(offsets + (8 * (int)page)), offset);
        var chunk = (int)(page / IndexLayout.ChunkPages);
        var sum = Crc32C.Of(index.AsSpan(offsets + (chunk * IndexLayout.ChunkBytes), IndexLayout.ChunkBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(index.AsSpan((int)layout.Sums + (4 * chunk)), sum);
        Sum(index, pages);
    }

    /// <summary>Makes the header's sum right.</summary>
    public static void Sum(byte[] index, ulong pages)
    {
        var sum = Crc32C.Of(index.AsSpan(16, (int)new IndexLayout(pages).Offsets - 16));
        BinaryPrimitives.WriteUInt32LittleEndian(index.AsSpan(12), sum);
    }
}
