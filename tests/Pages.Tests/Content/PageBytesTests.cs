using Userfault.Mmu;

namespace Userfault.Pages.Tests.Content;

public sealed unsafe class PageBytesTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(7, 0)]
    [InlineData(32, 16)]
    public void A_page_is_copied_whole_and_nothing_beside_it(int fromOffset, int toOffset)
    {
        var from = GC.AllocateUninitializedArray<byte>(2 * Page.Size + 64, pinned: true);
        var to = GC.AllocateUninitializedArray<byte>(2 * Page.Size + 64, pinned: true);
        new Random(5).NextBytes(from);
        Array.Fill<byte>(to, 0xee);
        fixed (byte* source = from)
        fixed (byte* target = to)
        {
            var start = 64 - (int)((nuint)target % 64) + toOffset;
            PageBytes.Expect(source + fromOffset);
            PageBytes.Copy(source + fromOffset, target + start);

            Assert.True(to.AsSpan(start, Page.Size).SequenceEqual(from.AsSpan(fromOffset, Page.Size)));
            Assert.Equal(-1, to.AsSpan(0, start).IndexOfAnyExcept<byte>(0xee));
            Assert.Equal(-1, to.AsSpan(start + Page.Size).IndexOfAnyExcept<byte>(0xee));
        }
    }

    [Fact]
    public void Expecting_memory_that_is_not_there_does_nothing() => PageBytes.Expect((byte*)64);
}
