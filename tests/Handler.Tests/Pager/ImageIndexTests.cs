using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>What is known of an image before anybody faults.</summary>
public unsafe class ImageIndexTests
{
    [SkippableFact]
    public void Zero_pages_of_a_file_are_known_and_no_others()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "madvise and mincore are Linux's");
        using var folder = new TemporaryFolder();
        // Two whole areas and a part; a page whose last byte alone is not zero.
        var bytes = new byte[1100 * Page.Size];
        for (var page = 0; page < 1100; page += 3)
            bytes[page * Page.Size] = 1;
        bytes[(7 * Page.Size) + Page.Size - 1] = 1;
        using var image = MemoryImages.Open(folder.Write("image", bytes));
        using var index = new ImageIndex(image);
        index.Wait();
        for (ulong page = 0; page < 1100; page++)
        {
            Assert.True(
                index.TryIsZero(new MemoryPage(page), out var isZero),
                $"page {page} was just written and is in memory"
            );
            Assert.Equal(page % 3 != 0 && page != 7, isZero);
        }
        using var runs = new ImageRuns(image, 64, index);
        Assert.Equal(1ul, runs.Next(new MemoryPage(0), 64, out var first));
        Assert.True(first != null);
        Assert.Equal(2ul, runs.Next(new MemoryPage(1), 64, out var zeros));
        Assert.True(zeros == null);
        Assert.Equal(2ul, runs.Next(new MemoryPage(6), 64, out _));
    }

    [Fact]
    public void Pages_that_are_made_are_not_looked_at()
    {
        using var image = new SyntheticImage(new SyntheticSettings(1024));
        using var index = new ImageIndex(image);
        index.Wait();
        Assert.False(index.TryIsZero(new MemoryPage(0), out _));
        Assert.False(index.TryIsZero(new MemoryPage(1023), out _));
    }
}
