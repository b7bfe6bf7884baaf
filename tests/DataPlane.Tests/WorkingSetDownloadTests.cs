using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.DataPlane.Tests;

/// <summary>A working set over the data plane: whole, in a later state, from liars.</summary>
public sealed class WorkingSetDownloadTests
{
    private static readonly ImageIdentity Somebodys = new(Enumerable.Repeat((byte)2, 32).ToArray());

    [Theory]
    [InlineData(3)]
    [InlineData(100_000)]
    public void A_set_arrives_as_it_was_recorded(int runs)
    {
        using var image = new SyntheticImage(new SyntheticSettings(1 << 20));
        var set = SetOf(image.Identity, image.Pages, runs);
        using var server = Serve(image, new WorkingSetImage(set, image.Identity, "set"));
        var got = WorkingSetDownload.From(Plane.ClientOf(server, default), image.Identity, image.Pages);
        Assert.Equal(set.Entries, got.Entries);
        Assert.Equal((set.Recordings, set.Generation, set.Image), (got.Recordings, got.Generation, got.Image));
        // Whoever asks which images there are hears of one.
        Assert.Equal(image.Identity, Assert.Single(PageClient.ListSources(Plane.ClientOf(server, default))).Image);
    }

    [Fact]
    public void A_later_state_takes_the_place_of_the_one_before()
    {
        using var image = new PlaneImage(3000);
        using var server = Serve(image, new WorkingSetImage(SetOf(image.Identity, 3000, 2), image.Identity, "set"));
        server.Replace(new PageOffer(new WorkingSetImage(SetOf(image.Identity, 3000, 9), image.Identity, "set")));
        var got = WorkingSetDownload.From(Plane.ClientOf(server, default), image.Identity, image.Pages);
        Assert.Equal(9ul, got.TouchedPages);
    }

    [Fact]
    public void A_source_without_one_says_so()
    {
        using var image = new PlaneImage(3000);
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        var none = Assert.Throws<PageConnectionException>(() =>
            WorkingSetDownload.From(Plane.ClientOf(server, default), image.Identity, image.Pages)
        );
        Assert.Contains("image", none.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("another image", PagingError.ForeignImage)]
    [InlineData("another size", PagingError.ForeignImage)]
    [InlineData("no set", PagingError.WrongFormat)]
    [InlineData("too many pages", PagingError.Corrupt)]
    [InlineData("too large", PagingError.Corrupt)]
    [InlineData("changed", PagingError.Corrupt)]
    public void What_is_no_working_set_of_this_image_is_refused(string lie, PagingError error)
    {
        using var image = new PlaneImage(3000);
        var set = SetOf(lie == "another image" ? Somebodys : image.Identity, lie == "another size" ? 3001u : 3000, 400);
        var bytes = WorkingSetFormat.Write(set);
        if (lie == "no set")
            bytes[0] ^= 1;
        if (lie == "changed")
            bytes[^9] ^= 1;
        var pages =
            lie == "too large"
                ? (WorkingSetFormat.MaxBytes >> 12) + 1
                : ((ulong)bytes.Length + 4095) / 4096 + (lie == "too many pages" ? 1u : 0);
        using var liar = new BytesOf(bytes, pages, WorkingSetImage.IdentityOf(image.Identity));
        using var server = new PageServer(Plane.Server, [new PageOffer(liar)]);
        Expect.Refused(
            error,
            () => WorkingSetDownload.From(Plane.ClientOf(server, default), image.Identity, image.Pages),
            $"{server.Endpoint.Port}"
        );
    }

    private static PageServer Serve(IMemoryImage image, WorkingSetImage set) =>
        new(Plane.Server, [new PageOffer(image), new PageOffer(set) { IsListed = false }]);

    private static WorkingSet SetOf(ImageIdentity image, ulong pages, int runs) =>
        new(
            image,
            pages,
            [
                .. Enumerable
                    .Range(0, runs)
                    .Select(static i => new WorkingSetEntry(
                        new MemoryPageRange(new MemoryPage((ulong)(i * 7)), 1),
                        (ulong)i,
                        WorkingSetEntry.One + (ulong)(i % 5),
                        2,
                        0
                    )),
            ],
            recordings: 3,
            generation: 2
        );

    private sealed unsafe class BytesOf(byte[] bytes, ulong pages, ImageIdentity identity) : IMemoryImage
    {
        public string Name => "bytes";

        public ImageKind Kind => ImageKind.Raw;

        public ulong Pages => pages;

        public ImageIdentity Identity => identity;

        public byte* Read(MemoryPage page, byte* scratch)
        {
            var to = new Span<byte>(scratch, 4096);
            to.Clear();
            var at = (int)Math.Min((ulong)bytes.Length, page.Value << 12);
            bytes.AsSpan(at, Math.Min(4096, bytes.Length - at)).CopyTo(to);
            return scratch;
        }

        public void Dispose() { }
    }
}
