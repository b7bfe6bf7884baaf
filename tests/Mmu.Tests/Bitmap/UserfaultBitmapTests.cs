namespace Userfault.Mmu.Tests;

/// <summary>What the bitmap promises, value by value: the uAPI's layout, the edges of words, bad arguments.</summary>
public unsafe class UserfaultBitmapTests
{
    public static TheoryData<ulong> EdgeLengths => [0, 1, 2, 63, 64, 65, 127, 128, 511, 512, 513, 2047, 2048, 2049];

    [Fact]
    public void Bit_i_is_bit_i_mod_64_of_word_i_div_64()
    {
        using var bitmap = UserfaultBitmap.Allocate(200);
        bitmap.Set(0);
        bitmap.Set(63);
        bitmap.Set(64);
        bitmap.Set(130);
        Assert.Equal(4UL, bitmap.WordCount);
        Assert.Equal(0x8000_0000_0000_0001UL, bitmap.Words[0]);
        Assert.Equal(0x0000_0000_0000_0001UL, bitmap.Words[1]);
        Assert.Equal(0x0000_0000_0000_0004UL, bitmap.Words[2]);
        Assert.Equal(0UL, bitmap.Words[3]);
        // As bytes, the way another process or the kernel's test_bit sees it on a little-endian machine.
        var bytes = new ReadOnlySpan<byte>(bitmap.Words, 32);
        Assert.Equal([0x01, 0x80, 0x01, 0x04], [bytes[0], bytes[7], bytes[8], bytes[16]]);
    }

    [Fact]
    public void Own_memory_is_zeroed_and_aligned_to_a_cache_line()
    {
        using var bitmap = UserfaultBitmap.Allocate(100_000);
        Assert.Equal(0UL, (ulong)bitmap.Words % 64);
        Assert.Equal(0UL, bitmap.Count());
        Assert.Equal(100_000UL, bitmap.FindNextSet(0));
        Assert.Equal(0UL, bitmap.FindNextClear(0));
    }

    [Theory]
    [MemberData(nameof(EdgeLengths))]
    public void Every_length_keeps_to_its_own_bits(ulong pages)
    {
        using var memory = new GuardedWords(pages);
        using var bitmap = UserfaultBitmap.Over(memory.Words, pages);
        Assert.Equal((0UL, pages, 0UL), (bitmap.Count(), bitmap.FindNextSet(0), bitmap.FindNextClear(0)));

        bitmap.SetAll();
        Assert.Null(memory.Damage());
        Assert.Equal((pages, 0UL, pages), (bitmap.Count(), bitmap.FindNextSet(0), bitmap.FindNextClear(0)));

        for (var i = 0UL; i < pages; i++)
        {
            Assert.True(bitmap.IsSet(i));
            Assert.True(bitmap.Clear(i));
            Assert.False(bitmap.Clear(i));
            Assert.False(bitmap.IsSet(i));
            Assert.Equal(i + 1, bitmap.FindNextSet(0));
            Assert.Equal(pages - i - 1, bitmap.Count());
        }
        for (var i = 0UL; i < pages; i++)
            bitmap.Set(i);
        Assert.Equal(pages, bitmap.Count());
        Assert.Equal(pages, bitmap.ClearRange(0, pages));
        Assert.Equal(0UL, bitmap.Count());
        Assert.Null(memory.Damage());
    }

    [Theory]
    [MemberData(nameof(EdgeLengths))]
    public void A_word_taken_whole_leaves_the_bits_behind_the_last_page(ulong pages)
    {
        using var memory = new GuardedWords(pages);
        using var bitmap = UserfaultBitmap.Over(memory.Words, pages);
        bitmap.SetAll();
        var taken = 0UL;
        for (var word = 0UL; word < bitmap.WordCount; word++)
        {
            var shown = bitmap.ReadWord(word);
            Assert.Equal(shown, bitmap.ApplyClear(word, ulong.MaxValue));
            Assert.Equal(0UL, bitmap.ReadWord(word));
            taken += ulong.PopCount(shown);
        }
        Assert.Equal(pages, taken);
        Assert.Null(memory.Damage());
    }

    [Fact]
    public void A_broadcast_of_clears_reports_only_what_was_set()
    {
        using var bitmap = UserfaultBitmap.Allocate(128);
        bitmap.SetRange(64, 8);
        Assert.Equal(0x0fUL, bitmap.ApplyClear(1, 0xffff_ffff_ffff_ff0fUL));
        Assert.Equal(0UL, bitmap.ApplyClear(1, 0x0f));
        Assert.Equal(0xf0UL, bitmap.ReadWord(1));
        Assert.Equal(0UL, bitmap.ApplyClear(0, ulong.MaxValue));
    }

    [Fact]
    public void Ranges_within_a_word_across_two_and_over_many()
    {
        using var bitmap = UserfaultBitmap.Allocate(320);
        bitmap.SetRange(3, 4);
        Assert.Equal(0x78UL, bitmap.Words[0]);
        bitmap.SetRange(60, 8);
        Assert.Equal((0xf000_0000_0000_0078UL, 0x0fUL), (bitmap.Words[0], bitmap.Words[1]));
        bitmap.SetRange(64, 192);
        Assert.Equal((ulong.MaxValue, ulong.MaxValue, 0UL), (bitmap.Words[1], bitmap.Words[3], bitmap.Words[4]));
        // Set are now 3 to 6 and 60 to 255.
        Assert.Equal(200UL, bitmap.Count());
        Assert.Equal(2UL + 104, bitmap.Count(5, 159));
        Assert.Equal(4UL + 130, bitmap.ClearRange(1, 189));
        Assert.Equal((0UL, 0UL, 0xc000_0000_0000_0000UL), (bitmap.Words[0], bitmap.Words[1], bitmap.Words[2]));
    }

    [Fact]
    public void Differences_are_what_is_set_left_and_clear_right()
    {
        using var left = UserfaultBitmap.Allocate(1000);
        using var right = UserfaultBitmap.Allocate(1000);
        using var result = UserfaultBitmap.Allocate(1000);
        left.SetRange(100, 800);
        right.SetRange(0, 1000);
        Assert.Equal((0UL, 1000UL), (left.CountDifference(right), left.FindNextDifference(right, 0)));
        Assert.Equal((200UL, 0UL), (right.CountDifference(left), right.FindNextDifference(left, 0)));
        Assert.Equal(900UL, right.FindNextDifference(left, 100));
        right.Clear(899);
        Assert.Equal((1UL, 899UL), (left.CountDifference(right), left.FindNextDifference(right, 0)));
        UserfaultBitmap.Difference(left, right, result);
        Assert.Equal((1UL, 899UL), (result.Count(), result.FindNextSet(0)));
        UserfaultBitmap.Difference(left, left, left);
        Assert.Equal(0UL, left.Count());
    }

    [Fact]
    public void Nothing_outside_the_bitmap_can_be_named()
    {
        using var bitmap = UserfaultBitmap.Allocate(65);
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.IsSet(65));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Set(65));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Clear(ulong.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.SetRange(1, 65));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.SetRange(66, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.ClearRange(64, ulong.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Count(ulong.MaxValue, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.ApplyClear(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.ReadWord(2));
        Assert.Equal((65UL, 65UL), (bitmap.FindNextSet(ulong.MaxValue), bitmap.FindNextClear(65)));
        bitmap.SetRange(65, 0);
        Assert.Equal(0UL, bitmap.Count());
    }

    [Fact]
    public void Bad_memory_and_unequal_lengths_are_refused()
    {
        Assert.Throws<ArgumentNullException>(() =>
        {
            UserfaultBitmap.Over(null, 1);
        });
        Assert.Throws<ArgumentException>(() =>
        {
            UserfaultBitmap.Over((ulong*)0x1004, 1);
        });
        using var nothing = UserfaultBitmap.Over(null, 0);
        Assert.Equal(0UL, nothing.Count());
        using var other = UserfaultBitmap.Allocate(1);
        Assert.Throws<ArgumentException>(() => other.CountDifference(nothing));
        Assert.Throws<ArgumentException>(() => other.FindNextDifference(nothing, 0));
        Assert.Throws<ArgumentException>(() => UserfaultBitmap.Difference(other, other, nothing));
    }

    [Fact]
    public void After_its_end_a_bitmap_has_no_pages()
    {
        var bitmap = UserfaultBitmap.Allocate(64);
        bitmap.Dispose();
        bitmap.Dispose();
        Assert.Equal(0UL, bitmap.Pages);
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.IsSet(0));
    }

    [Fact]
    public void Nothing_allocates()
    {
        using var bitmap = UserfaultBitmap.Allocate(10_000);
        Work(bitmap);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Work(bitmap);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Work(UserfaultBitmap bitmap)
        {
            bitmap.SetAll();
            bitmap.Clear(77);
            bitmap.Set(77);
            bitmap.ApplyClear(3, 0xff);
            bitmap.ClearRange(100, 5000);
            bitmap.FindNextSet(bitmap.FindNextClear(0));
            bitmap.CountDifference(bitmap);
            UserfaultBitmap.Difference(bitmap, bitmap, bitmap);
        }
    }
}
