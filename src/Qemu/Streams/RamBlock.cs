using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>A block of guest RAM in a saved stream.</summary>
/// <param name="Name">Its name: <c>pc.ram</c>, or the id of a memory backend.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="FirstPage">Its first page in the image, in which all blocks lie end to end.</param>
/// <param name="BitmapOffset">mapped-ram: where its bitmap lies in the file; else 0.</param>
/// <param name="PagesOffset">mapped-ram: where its pages lie in the file; else 0.</param>
public sealed record RamBlock(string Name, ulong Bytes, MemoryPage FirstPage, ulong BitmapOffset, ulong PagesOffset)
{
    /// <summary>Its pages of 4096 bytes.</summary>
    public ulong Pages => Bytes / 4096;

    /// <summary>Its pages in the image.</summary>
    public MemoryPageRange Range => new(FirstPage, Pages);

    /// <summary>Which of some blocks, which lie end to end, holds a page of the image.</summary>
    internal static int IndexOf(ReadOnlySpan<RamBlock> blocks, MemoryPage page)
    {
        int low = 0,
            high = blocks.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (blocks[middle].FirstPage.Value <= page.Value)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }
}
