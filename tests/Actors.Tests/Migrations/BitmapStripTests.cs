using Userfault.Mmu;

namespace Userfault.Actors.Tests.Migrations;

/// <summary>Bitmaps as a picture.</summary>
public sealed class BitmapStripTests
{
    [Fact]
    public void A_cell_says_how_much_of_its_part_is_in_place()
    {
        using var bitmap = UserfaultBitmap.Allocate(400);
        bitmap.SetRange(100, 50);
        bitmap.SetRange(200, 100);
        Assert.Equal([255, 127, 0, 255], BitmapStrip.Of([bitmap], 4));
    }

    [Fact]
    public void Slots_are_laid_end_to_end()
    {
        using var first = UserfaultBitmap.Allocate(100);
        using var second = UserfaultBitmap.Allocate(300);
        second.SetAll();
        Assert.Equal([127, 0], BitmapStrip.Of([first, second], 2));
    }

    [Fact]
    public void Each_bitmap_is_looked_at_once_however_many_cells_there_are()
    {
        const int count = 1000;
        const int cells = 128;
        var bitmaps = new CountedList([.. Enumerable.Range(0, count).Select(_ => UserfaultBitmap.Allocate(3))]);
        Assert.Equal(cells, BitmapStrip.Of(bitmaps, cells).Length);
        // Once for the sum, once for the cells, and where two cells share one.
        Assert.InRange(bitmaps.Looks, count, (2 * count) + (2 * cells));
        foreach (var bitmap in bitmaps)
            bitmap.Dispose();
    }

    [Theory]
    [InlineData(3UL, 128, 3)]
    [InlineData(1000UL, 128, 128)]
    [InlineData(5UL, 0, 1)]
    public void There_are_no_more_cells_than_pages(ulong pages, int cells, int expected)
    {
        using var bitmap = UserfaultBitmap.Allocate(pages);
        Assert.Equal(Enumerable.Repeat((byte)255, expected), BitmapStrip.Of([bitmap], cells));
    }

    private sealed class CountedList(IReadOnlyList<UserfaultBitmap> bitmaps) : IReadOnlyList<UserfaultBitmap>
    {
        public int Looks { get; private set; }

        public int Count => bitmaps.Count;

        public UserfaultBitmap this[int index]
        {
            get
            {
                Looks++;
                return bitmaps[index];
            }
        }

        public IEnumerator<UserfaultBitmap> GetEnumerator()
        {
            foreach (var bitmap in bitmaps)
            {
                Looks++;
                yield return bitmap;
            }
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
