using Userfault.Mmu;

namespace Userfault.Paging.Tests.DataPlane;

/// <summary>The bytes of docs/data-plane.md, written by hand (checksums by another implementation).</summary>
public sealed unsafe class WireGoldenTests
{
    private static readonly ImageIdentity Image = new([.. Enumerable.Range(64, 32).Select(i => (byte)i)]);

    private const string ImageHex = "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f";

    private static byte[] PageOf(int factor, int plus) =>
        [.. Enumerable.Range(0, Page.Size).Select(i => (byte)((i * factor) + plus))];

    [Fact]
    public void Handshake_frames()
    {
        byte[] bytes = new byte[Greeting.Size];
        new Greeting(1, 2).Write(bytes);
        Assert.Equal("55465047" + "0100" + "0200", Convert.ToHexStringLower(bytes));
        Assert.Equal(RefusalReason.None, Greeting.TryRead([.. bytes, 1, 2, 3], out Greeting? greeting));
        Assert.Equal((1, 2), (greeting!.MinVersion, greeting.MaxVersion));

        bytes = new byte[Hello.Size];
        new Hello(2, Image, 64).Write(bytes);
        Assert.Equal("55465047" + "0200" + "0000" + ImageHex + "40000000", Convert.ToHexStringLower(bytes));
        Assert.Equal(RefusalReason.None, Hello.TryRead(bytes, out Hello? hello));
        Assert.Equal((Image, 64u), (hello!.Image, hello.DuplicateWindow));

        bytes = new byte[Welcome.Size];
        new Welcome(0x4000, 0x1000, 0x2000, 64, 30_000, 0x123456789a, Image).Write(bytes);
        Assert.Equal(
            "0200" + "0000" + "00400000" + "00100000" + "00200000" + "40000000" + "30750000" + "9a78563412000000" + ImageHex,
            Convert.ToHexStringLower(bytes));
        Assert.Equal(RefusalReason.None, Welcome.TryRead(bytes, out Welcome? welcome));
        Assert.Equal(0x123456789aUL, welcome!.ImagePages);

        bytes = new byte[Refusal.MaxSize];
        int size = new Refusal(RefusalReason.UnknownImage, "n\u00f6").Write(bytes);
        Assert.Equal("0400" + "0300" + "6ec3b6", Convert.ToHexStringLower(bytes.AsSpan(0, size)));
        Assert.True(Refusal.TryRead(bytes.AsSpan(0, size), out Refusal refusal));
        Assert.Equal(new Refusal(RefusalReason.UnknownImage, "n\u00f6"), refusal);
    }

    [Fact]
    public void Requests()
    {
        var output = new ClientOutput();
        output.AppendRequest(new RequestEntry(0x0102030405060708, 0x200, 0x00030004, Background: true));
        output.AppendRequest(new RequestEntry(9, 1, 5, Background: false));
        output.AppendCancel(0x00030004);
        output.AppendPing(0x1122334455667788);
        output.AppendList();
        byte[] bytes = [];
        int size = output.Swap(ref bytes);
        Assert.Equal(
            "30000000" + "10" + "00" + "0000"
            + "0807060504030201" + "00020000" + "04000300" + "01" + "00000000000000"
            + "0900000000000000" + "01000000" + "05000000" + "00" + "00000000000000"
            + "04000000" + "11" + "00" + "0000" + "04000300"
            + "08000000" + "12" + "00" + "0000" + "8877665544332211"
            + "00000000" + "13" + "00" + "0000",
            Convert.ToHexStringLower(bytes.AsSpan(0, size)));
    }

    [Fact]
    public void Page_records_with_their_checksums()
    {
        uint crc = Crc32C.Of(PageOf(1, 0));
        uint both = Crc32C.Of([.. PageOf(1, 0), .. PageOf(7, 1)]);
        (PageRecord Record, FrameHeader Header, uint Crc, string Hex)[] cases =
        [
            (new(0x1234, 1, 7, 0, 0), new(4120, FrameType.Data, 1), crc,
                "18100000" + "20" + "01" + "0000" + "3412000000000000" + "01000000" + "07000000" + "00000000" + "bf0e35bb"),
            (new(0x1234, 2, 7, 0, 0), new(8216, FrameType.Data, 0), both,
                "18200000" + "20" + "00" + "0000" + "3412000000000000" + "02000000" + "07000000" + "00000000" + "381b7a3d"),
            (new(0x1122334455, 64, 0x00020001, 0, 0), new(24, FrameType.Zero, 0), 0,
                "18000000" + "21" + "00" + "0000" + "5544332211000000" + "40000000" + "01000200" + "00000000" + "68721769"),
            (new(9, 1, 7, 3, 0), new(24, FrameType.Duplicate, 1), crc,
                "18000000" + "22" + "01" + "0000" + "0900000000000000" + "01000000" + "07000000" + "03000000" + "9f3d0a47"),
            (new(5, 11, 7, (uint)EndStatus.Cancelled, 0), new(24, FrameType.End, 1), 0,
                "18000000" + "23" + "01" + "0000" + "0500000000000000" + "0b000000" + "07000000" + "01000000" + "5e482e50"),
        ];
        foreach ((PageRecord record, FrameHeader header, uint contentCrc, string hex) in cases)
        {
            byte[] framed = new byte[PageRecord.FramedSize];
            record.WriteFramed(framed, header, contentCrc);
            Assert.Equal(hex, Convert.ToHexStringLower(framed));
            Assert.Equal(record, PageRecord.Read(framed.AsSpan(FrameHeader.Size)) with { Checksum = 0 });
        }
    }

    [Fact]
    public void Sources()
    {
        var source = new SourceListing(Image, 0x80000, "h\u00f6st", 4242, "a");
        byte[] bytes = new byte[SourceListing.MaxSize];
        int size = source.Write(bytes);
        Assert.Equal(
            ImageHex + "0000080000000000" + "9210" + "05" + "01" + "68c3b67374" + "61",
            Convert.ToHexStringLower(bytes.AsSpan(0, size)));
        ReadOnlySpan<byte> payload = bytes.AsSpan(0, size);
        Assert.True(SourceListing.TryRead(ref payload, out SourceListing? read));
        Assert.Equal(source, read);
        Assert.True(payload.IsEmpty);
        for (int cut = 0; cut < size; cut++)
        {
            ReadOnlySpan<byte> part = bytes.AsSpan(0, cut);
            Assert.False(SourceListing.TryRead(ref part, out _));
        }
        Assert.Throws<ArgumentException>(() => (source with { Name = new string('x', 256) }).Write(new byte[1024]));
    }

    [Fact]
    public void Crc32C_agrees_with_the_published_values_and_with_itself()
    {
        // RFC 3720, B.4, and the check value of the catalogue of CRCs.
        Assert.Equal(0xe3069283u, Crc32C.Of("123456789"u8));
        Assert.Equal(0x8a9136aau, Crc32C.Of(new byte[32]));
        Assert.Equal(0x62a8ab43u, Crc32C.Of([.. Enumerable.Repeat((byte)0xff, 32)]));
        Assert.Equal(0x46dd794eu, Crc32C.Of([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        byte[] pages = [.. PageOf(1, 0), .. PageOf(7, 1)];
        Assert.Equal(0x9c71fe32u, Crc32C.Of(pages.AsSpan(0, Page.Size)));
        Assert.Equal(0x2b4e9873u, Crc32C.Of(pages));
        fixed (byte* start = pages)
        {
            Assert.Equal(0x9c71fe32u, Crc32C.OfPage(start));
            Assert.Equal(0x904f911bu, Crc32C.OfPage(start + Page.Size));
            Assert.Equal(0x2b4e9873u, Crc32C.AppendPage(Crc32C.OfPage(start), Crc32C.OfPage(start + Page.Size)));
            Assert.Equal(0x2b4e9873u, Crc32C.AppendPage(0x9c71fe32u, 0x904f911bu));
        }
    }

    [Fact]
    public void Frames_are_found_wherever_the_stream_is_cut()
    {
        var output = new ClientOutput();
        for (uint i = 0; i < 4; i++)
        {
            output.AppendCancel(i);
            output.AppendList();
            output.AppendRequest(new RequestEntry(i, 1, i, Background: false));
        }
        byte[] stream = [];
        int size = output.Swap(ref stream);
        for (int first = 0; first <= size; first++)
        {
            for (int second = first; second <= Math.Min(first + 40, size); second++)
            {
                var assembler = new FrameAssembler(WireLimits.ClientPayloadBytes);
                List<(FrameType, int)> found = [];
                foreach (Range range in (Range[])[new(0, first), new(first, second), new(second, size)])
                {
                    ReadOnlySpan<byte> input = stream.AsSpan(range);
                    while (assembler.TryNext(ref input, out FrameHeader header, out ReadOnlySpan<byte> payload, out bool isBroken))
                    {
                        Assert.Equal(header.PayloadBytes, payload.Length);
                        found.Add((header.Type, payload.Length));
                    }
                    Assert.True(input.IsEmpty);
                }
                Assert.Equal(12, found.Count);
                Assert.Equal([(FrameType.Cancel, 4), (FrameType.List, 0), (FrameType.Request, 24)], found[9..]);
                Assert.False(assembler.IsMidFrame);
            }
        }
    }
}
