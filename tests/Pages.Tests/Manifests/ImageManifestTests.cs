using System.Buffers.Binary;
using Userfault.Mmu;
using Userfault.Pages.Tests.Images;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Manifests;

/// <summary>The bytes of a manifest, and what is refused as one.</summary>
public sealed unsafe class ImageManifestTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IMemoryImage _image;

    public ImageManifestTests() =>
        // Two pages, a hole of two, three pages.
        _image = MemoryImages.Open(
            _folder.Write(
                "golden.elf",
                new GoldenElf()
                    .Load((ulong)GoldenElf.BodyAt(2), 0, 2 * Page.Size)
                    .Load((ulong)GoldenElf.BodyAt(2) + (2 * Page.Size), 4 * Page.Size, 3 * Page.Size)
                    .Body(Bytes.Noise(5 * Page.Size, 3))
                    .Build()
            )
        );

    public void Dispose()
    {
        _image.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_digest_is_the_sha_256_of_the_page_and_what_writes_move()
    {
        // sha256sum of 4096 zeros, and of 4096 bytes of 0x61.
        Assert.Equal("AD7FACB2586FC6E966C004D7D1D16B024F5805FF7CB47C7A85DABD8B48892CA7", Hex(PageDigest.Zero));
        var page = Bytes.Buffer();
        page.AsSpan().Fill(0x61);
        var digest = PageDigest.Of(Bytes.Pointer(page));
        Assert.Equal("C93EEE2D0DB02F10ACC7460D9576E122DCF8CD53C4BF8DFCAE1B3E74EBCFFF5A", Hex(digest));

        const ulong stamp = 0x0003_0000_0000_0001;
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(7 * 8), stamp);
        Assert.Equal(
            digest.Fingerprint + StampMath.Move(7, 0x6161_6161_6161_6161, stamp),
            PageDigest.Of(Bytes.Pointer(page)).Fingerprint
        );

        var bytes = new byte[PageDigest.Size];
        digest.Write(bytes);
        Assert.Equal(Hex(digest), Convert.ToHexString(bytes[..32]));
        Assert.Equal(digest.Fingerprint, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32)));
        Assert.Equal(new byte[24], bytes[40..]);
        Assert.Equal(digest, PageDigest.Read(bytes));
    }

    [Fact]
    public void The_header_is_laid_out_as_documented()
    {
        var manifest = new ImageManifest(_image);
        Assert.Equal(
            (7UL, 5UL, 1UL, 2UL),
            (manifest.ImagePages, manifest.Described, manifest.HeaderPages, manifest.Pages)
        );
        var header = Header();

        var expected = new byte[Page.Size];
        "UFMANIF1"u8.CopyTo(expected);
        expected[8] = 7;
        expected[16] = 2;
        Convert.FromHexString(_image.Identity.ToString()).CopyTo(expected, 32);
        (expected[72], expected[80], expected[88]) = (2, 4, 3);
        Assert.Equal(expected, header);

        var read = ImageManifest.Read(header, _image.Identity)!;
        Assert.Equal(_image.Ranges, read.Ranges);
        Assert.Equal(
            [0, 1, null, null, 2, 3, 4, null],
            Enumerable.Range(0, 8).Select(memoryPage => (int?)read.OrdinalOf(new MemoryPage((ulong)memoryPage)))
        );
        Assert.Equal([0UL, 1, 4, 5, 6], Enumerable.Range(0, 5).Select(i => read.GfnAt((ulong)i).Value));
        Assert.Throws<ArgumentOutOfRangeException>(() => read.GfnAt(5));
    }

    [Fact]
    public void A_manifests_identity_follows_from_the_images() =>
        // printf userfault.digest + 32 zero bytes | sha256sum
        Assert.Equal(
            "67cf10b01063505dbd56683e36212c8dbdec35c641d7a39475b3b79a9f108969",
            ImageManifest.IdentityOf(default).ToString()
        );

    // Offset and value of one byte that is changed.
    [Theory]
    [InlineData("magic", 0, 0)]
    [InlineData("pages below the last range's end", 8, 6)]
    [InlineData("pages above it", 8, 8)]
    [InlineData("pages past any address space", 14, 1)]
    [InlineData("no range", 16, 0)]
    [InlineData("a range more, of zeros", 16, 3)]
    [InlineData("more ranges than a manifest has", 17, 0x20)]
    [InlineData("another image", 40, 1)]
    [InlineData("an empty range", 72, 0)]
    [InlineData("a range that touches the next", 72, 4)]
    [InlineData("a range that begins before the last one's end", 80, 1)]
    [InlineData("a range outside", 88, 9)]
    [InlineData("a range that wraps", 95, 0xFF)]
    public void What_makes_no_sense_is_no_manifest(string what, int offset, byte value)
    {
        var header = Header();
        Assert.NotNull(ImageManifest.Read(header, _image.Identity));
        Assert.NotEqual(value, header[offset]);
        header[offset] = value;
        Assert.True(ImageManifest.Read(header, _image.Identity) is null, what);
    }

    [Fact]
    public void Random_bytes_are_no_manifest_and_do_no_harm()
    {
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var header = i % 2 == 0 ? Header() : new byte[random.Next(0, 2) * Page.Size];
            for (var changes = random.Next(1, 9); changes > 0 && header.Length > 0; changes--)
                header[random.Next(i % 4 == 0 ? 112 : header.Length)] = (byte)random.Next(256);
            if (header.Length > 0)
                Assert.InRange(ImageManifest.HeaderPagesIn(header), 0UL, 17UL);
            if (ImageManifest.Read(header, _image.Identity) is not { } read)
                continue;
            Assert.Equal(7UL, read.ImagePages);
            Assert.InRange(read.Described, 1UL, 7UL);
        }
    }

    private static string Hex(PageDigest digest)
    {
        var bytes = new byte[PageDigest.Size];
        digest.Write(bytes);
        return Convert.ToHexString(bytes[..32]);
    }

    private byte[] Header()
    {
        var header = new byte[Page.Size];
        new ImageManifest(_image).WriteHeader(header);
        return header;
    }
}
