using System.Text;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Content;

public sealed unsafe class Crc32CTests
{
    // RFC 3720, B.4, and the check value of the algorithm's catalogue entry.
    [Fact]
    public void Published_values_come_out()
    {
        Assert.Equal(0u, Crc32C.Of([]));
        Assert.Equal(0xE3069283u, Crc32C.Of(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0x8A9136AAu, Crc32C.Of(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Of([.. Enumerable.Repeat((byte)0xff, 32)]));
        Assert.Equal(0x46DD794Eu, Crc32C.Of([.. Enumerable.Range(0, 32).Select(static i => (byte)i)]));
        Assert.Equal(0x113FDB5Cu, Crc32C.Of([.. Enumerable.Range(0, 32).Select(static i => (byte)(31 - i))]));
    }

    [Fact]
    public void Any_length_agrees_with_the_bitwise_definition()
    {
        var bytes = Bytes.Noise(3 * Page.Size, 1);
        foreach (var length in new[] { 1, 7, 8, 9, 1023, 1024, 4095, 4096, 4097, 8192, 8200, 12288 })
            Assert.Equal(Bitwise(bytes.AsSpan(0, length)), Crc32C.Of(bytes.AsSpan(0, length)));
    }

    [Fact]
    public void Pieces_add_up_to_the_whole()
    {
        var bytes = Bytes.Noise(10000, 2);
        var whole = Crc32C.Of(bytes);
        foreach (var cut in new[] { 0, 1, 4096, 5000, 9999, 10000 })
            Assert.Equal(whole, Crc32C.Append(Crc32C.Of(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
    }

    [Fact]
    public void A_page_is_a_page_at_any_alignment()
    {
        var buffer = Bytes.Buffer(Page.Size + 64);
        Bytes.Noise(buffer.Length, 3).CopyTo(buffer, 0);
        foreach (var shift in new[] { 0, 1, 7, 64 })
            Assert.Equal(Crc32C.Of(buffer.AsSpan(shift, Page.Size)), Crc32C.OfPage(Bytes.Pointer(buffer) + shift));
    }

    [Fact]
    public void Pages_are_joined_by_their_checksums_alone()
    {
        var buffer = Bytes.Buffer(5 * Page.Size);
        Bytes.Noise(buffer.Length, 4).CopyTo(buffer, 0);
        var crc = Crc32C.Of(buffer.AsSpan(0, 100));
        crc = Crc32C.AppendPage(crc, Crc32C.Of(buffer.AsSpan(100, Page.Size)));
        Assert.Equal(Crc32C.Of(buffer.AsSpan(0, 100 + Page.Size)), crc);
        var page = Bytes.Pointer(buffer);
        var pages = Crc32C.OfPage(page);
        for (var i = 1; i < 5; i++)
            pages = Crc32C.AppendPage(pages, Crc32C.OfPage(page + (i * Page.Size)));
        Assert.Equal(Crc32C.Of(buffer), pages);
    }

    private static uint Bitwise(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
        }
        return ~crc;
    }
}
