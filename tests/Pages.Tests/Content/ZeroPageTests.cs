using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Content;

public sealed unsafe class ZeroPageTests
{
    [Fact]
    public void One_bit_anywhere_is_seen_at_any_alignment()
    {
        var buffer = Bytes.Buffer(Page.Size + 64);
        foreach (var shift in new[] { 0, 1, 20, 63 })
        {
            var page = Bytes.Pointer(buffer) + shift;
            Assert.True(ZeroPage.IsZero(page));
            for (var i = 0; i < Page.Size; i++)
            {
                page[i] = 0x80;
                Assert.False(ZeroPage.IsZero(page), $"byte {i}");
                page[i] = 0;
            }
        }
    }

    [Fact]
    public void What_lies_beside_the_page_does_not_count()
    {
        var buffer = Bytes.Buffer(3 * Page.Size);
        buffer.AsSpan().Fill(0xff);
        buffer.AsSpan(Page.Size, Page.Size).Clear();
        Assert.True(ZeroPage.IsZero(Bytes.Pointer(buffer) + Page.Size));
    }
}
