namespace Userfault.Qemu.Tests;

public unsafe class PageBitsTests
{
    /// <summary>Runs and counts are those of a look at every bit, wherever they begin and end.</summary>
    [Fact]
    public void Runs_and_counts_are_those_of_every_bit()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var pages = (ulong)random.Next(1, 700);
            var bytes = new byte[PageBits.BytesOf(pages)];
            for (var set = random.Next(8); set > 0; set--)
                bytes[random.Next(bytes.Length)] |= (byte)(1 << random.Next(8));
            fixed (byte* bits = bytes)
            {
                ulong run = 0,
                    count = 0;
                for (var page = pages; page-- > 0; )
                {
                    var isSet = (bytes[page / 8] >> (int)(page % 8) & 1) != 0;
                    run = isSet ? 0 : run + 1;
                    count += isSet ? 1UL : 0;
                    Assert.True(PageBits.ZeroRun(bits, page, pages) == run, $"seed {seed}, page {page} of {pages}");
                    Assert.Equal(count, PageBits.Count(bits, page, pages - page));
                }
            }
        }
    }

    [Fact]
    public void A_long_run_is_counted_in_pieces()
    {
        const ulong pages = 3 * PageBits.MaxRun;
        var bytes = new byte[PageBits.BytesOf(pages)];
        bytes[^1] = 0x80;
        fixed (byte* bits = bytes)
        {
            Assert.Equal(PageBits.MaxRun, PageBits.ZeroRun(bits, 0, pages));
            Assert.Equal(PageBits.MaxRun, PageBits.ZeroRun(bits, 5, pages));
            Assert.Equal(PageBits.MaxRun - 1, PageBits.ZeroRun(bits, 2 * PageBits.MaxRun, pages));
            Assert.Equal(0UL, PageBits.ZeroRun(bits, pages - 1, pages));
        }
    }
}
