using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.DataPlane.Tests;

public sealed class PageSumsTests
{
    private const uint ChecksumOfZeros = 0x98f94189;

    // CRC-32C's generator, its 33 bits in the order in which a message's bits count: a multiple of it changes no
    // checksum.
    private static readonly byte[] Generator = [0xf1, 0x76, 0xec, 0x05, 0x01];

    [Fact]
    public unsafe void A_page_is_zero_or_has_its_checksum_however_often_it_is_asked_for()
    {
        using var image = new PlaneImage(40_000);
        var sums = new PageSums(image);

        for (var i = 0; i < 2; i++)
        {
            foreach (var page in (ulong[])[0, 1, 16_383, 16_384, 39_999])
            {
                var isZero = sums.IsZero(page, At(image, page), out var crc);
                Assert.Equal(PlaneImage.IsZero((int)page), isZero);
                Assert.True(isZero || crc == Crc32C.OfPage(At(image, page)));
            }
        }

        Assert.True(sums.IsZero(0, content: null, out _));
    }

    [Fact]
    public unsafe void A_page_is_looked_at_once()
    {
        using var image = new PlaneImage(2);
        var sums = new PageSums(image);
        sums.IsZero(0, At(image, 0), out var before);

        At(image, 0)[4095] ^= 1;

        sums.IsZero(0, At(image, 0), out var after);
        Assert.Equal(before, after);
        Assert.NotEqual(Crc32C.OfPage(At(image, 0)), after);
    }

    [Fact]
    public unsafe void A_page_with_the_checksum_of_zeros_is_still_not_zero()
    {
        using var image = new PlaneImage(1);
        var content = new Span<byte>(At(image, 0), Page.Size);
        content.Clear();
        Generator.CopyTo(content);
        var sums = new PageSums(image);

        for (var i = 0; i < 2; i++)
        {
            Assert.False(sums.IsZero(0, At(image, 0), out var crc));
            Assert.Equal(ChecksumOfZeros, crc);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(128, 2)]
    [InlineData(130, 3)]
    [InlineData(40_000, 625)]
    public unsafe void Looking_ahead_comes_to_the_last_page_and_then_to_an_end(int pages, int expectedSteps)
    {
        using var image = new PlaneImage(pages);
        var sums = new PageSums(image);
        var steps = 1;
        while (sums.LookAhead())
            steps++;
        var expected = Crc32C.OfPage(At(image, (ulong)pages - 1));

        At(image, (ulong)pages - 1)[0] ^= 1;

        Assert.Equal(expectedSteps, steps);
        Assert.False(sums.LookAhead());
        var isZero = sums.IsZero((ulong)pages - 1, At(image, (ulong)pages - 1), out var crc);
        Assert.Equal(PlaneImage.IsZero(pages - 1), isZero);
        Assert.True(isZero || crc == expected);
    }

    // Nobody has asked for anything when the page changes: the server had looked at it of itself. What it sends then is
    // what the client must not take.
    [Fact]
    public async Task An_idle_server_looks_at_all_pages_and_a_page_that_changed_since_is_refused()
    {
        using var image = new PlaneImage(1000);
        var offer = new PageOffer(image);
        using var server = new PageServer(Plane.Server, [offer]);
        await Eventually.Holds(() => offer.IsLookedAt);
        Change(image, 1);
        var owner = new TestOwner();
        using var client = PageClient.Start(Plane.ClientOf(server, image.Identity), owner);
        await owner.Opened;
        var sink = new RecordingSink(image);

        client.Ask(1, 0, 3, sink);

        Assert.Equal(RefusalReason.BadChecksum, (await owner.Closed).Reason);
    }

    private static unsafe byte* At(PlaneImage image, ulong page) => image.Read(new MemoryPage(page), null);

    private static unsafe void Change(PlaneImage image, ulong page) => At(image, page)[0] ^= 1;
}
