using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Content;

public sealed unsafe class PageTagTests
{
    [Fact]
    public void Only_the_zero_page_has_the_zero_tag()
    {
        Assert.Equal(PageTag.Zero, PageTag.Of(new byte[Page.Size]));
        var page = new byte[Page.Size];
        page[4095] = 1;
        Assert.NotEqual(PageTag.Zero, PageTag.Of(page));
    }

    [Fact]
    public void Vectors_and_words_agree()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var buffer = Bytes.Buffer(Page.Size + 16);
            Bytes.Noise(buffer.Length, seed).CopyTo(buffer, 0);
            var page = Bytes.Pointer(buffer) + (seed % 16);
            Assert.Equal(PageTag.OfScalar(page), PageTag.Of(page));
        }
    }

    [Fact]
    public void Counters_that_go_up_here_and_down_there_move_the_tag()
    {
        // The usual accident: two words of one lane change by +1 and -1.
        var seen = new HashSet<ulong>();
        for (var up = 0; up < 64; up++)
        {
            for (var down = 0; down < 64; down++)
            {
                var page = Bytes.Noise(Page.Size, 9);
                page[up * 64]++;
                page[down * 64]--;
                Assert.True(seen.Add(PageTag.Of(page)) || up == down, $"lines {up} and {down}");
            }
        }
    }

    [Fact]
    public void Every_bit_of_the_page_moves_the_tag()
    {
        var page = Bytes.Noise(Page.Size, 1);
        var seen = new HashSet<ulong> { PageTag.Of(page) };
        for (var bit = 0; bit < Page.Size * 8; bit += 3)
        {
            page[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(seen.Add(PageTag.Of(page)), $"bit {bit}");
            page[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Words_that_change_places_move_the_tag()
    {
        var page = Bytes.Noise(Page.Size, 2);
        var before = PageTag.Of(page);
        foreach (var (a, b) in new[] { (0, 8), (0, 16), (0, 64), (8, 72), (1024, 2048) })
        {
            var changed = (byte[])page.Clone();
            page.AsSpan(a, 8).CopyTo(changed.AsSpan(b));
            page.AsSpan(b, 8).CopyTo(changed.AsSpan(a));
            Assert.NotEqual(before, PageTag.Of(changed));
        }
    }

    [Fact]
    public void The_tag_is_the_same_on_every_machine()
    {
        // Computed by a second implementation in another language: a simulation's hash must not depend on where it
        // runs.
        var page = new byte[Page.Size];
        for (var i = 0; i < page.Length; i++)
            page[i] = (byte)(i * 7);
        Assert.Equal(15075126424000286919ul, PageTag.Of(page));
        Assert.Throws<ArgumentException>(() => PageTag.Of(new byte[4095]));
    }
}
