using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

public sealed unsafe class QemuImageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pages_are_where_the_records_have_them()
    {
        using var image = Open(StreamBuilder.Small());
        Assert.Equal(("pc-i440fx-7.2", 8UL), (image.Stream.Machine, image.Pages));
        Assert.Equal([0, 1, 0, 3, 0, 5, 0, 7], Firsts(image));
        Assert.Equal(["timer", "cpu"], image.Devices().Select(static d => d.Name));
        Assert.Equal(StreamBuilder.Ram, image.Stream.RamSection);
        Assert.False(image.Stream.HasSwitchoverStart);
    }

    /// <summary>A guest that runs while it is saved has its pages saved again.</summary>
    [Fact]
    public void The_last_record_of_a_page_holds()
    {
        var stream = StreamBuilder
            .Of("pc-i440fx-10.0")
            .StartOfRam(("pc.ram", 3 * 4096), ("vga.vram", 2 * 4096))
            .Part()
            .Page(0, "pc.ram", 1)
            .Page(1, null, 2)
            .Page(1, "vga.vram", 9)
            .EndOfPart()
            .Part()
            // The block of the record before, across sections.
            .Page(0, null, 8)
            .Page(0, "pc.ram", 7)
            .Zero(1, null)
            .EndOfPart()
            .Command(11)
            .EndOfRam()
            .Device("cpu", 3)
            .Eof();
        using var image = Open(stream);
        Assert.Equal([7, 0, 0, 8, 9], Firsts(image));
        Assert.Equal(["pc.ram", "vga.vram"], image.Stream.Blocks.Select(static b => b.Name));
        Assert.Equal("vga.vram", image.BlockOf(new MemoryPage(3)).Name);
        Assert.True(image.Stream.HasSwitchoverStart);
        Assert.Single(image.Devices());
    }

    [Fact]
    public void Mapped_ram_has_its_pages_at_fixed_offsets()
    {
        using var image = Open(MappedStream.Of(start: 0));
        Assert.True(image.Stream.IsMappedRam);
        Assert.Equal([0, 0x11, 0, 0x13, 0x22], Firsts(image));
        // What the destination would compare with its own capabilities is not sent.
        Assert.Equal(5 + "pc-q35-9.0".Length, image.Stream.Configuration.Length);
    }

    [Fact]
    public void A_file_of_virsh_save_holds_the_stream_behind_its_XML()
    {
        var xml = "<domain/>\0"u8.ToArray();
        var bytes = new byte[92 + xml.Length];
        "LibvirtQemudSave"u8.CopyTo(bytes);
        bytes[16] = 2;
        bytes[20] = (byte)xml.Length;
        xml.CopyTo(bytes, 92);
        using var image = Open(new StreamBuilder().Raw(bytes).Raw(StreamBuilder.Small().Bytes));
        Assert.Equal("<domain/>", image.Stream.LibvirtXml);
        Assert.Equal([0, 1, 0, 3, 0, 5, 0, 7], Firsts(image));

        bytes[28] = 1;
        Refused(new StreamBuilder().Raw(bytes).Raw(StreamBuilder.Small().Bytes), StreamError.LibvirtFormat);
    }

    public static TheoryData<StreamError, string> Wrong =>
        new()
        {
            { StreamError.NotAStream, "elf" },
            { StreamError.Version, "version" },
            { StreamError.NoConfiguration, "old" },
            { StreamError.UnknownSubsection, "subsection" },
            { StreamError.IgnoreShared, "ignore-shared" },
            { StreamError.ForeignSection, "block" },
            { StreamError.ForeignSection, "bitmaps-later" },
            { StreamError.EarlyDevice, "early" },
            { StreamError.Xbzrle, "xbzrle" },
            { StreamError.Compressed, "compressed" },
            { StreamError.Hook, "hook" },
            { StreamError.Multifd, "multifd" },
            { StreamError.CutOff, "no-eof" },
            { StreamError.CutOff, "half" },
            { StreamError.Corrupt, "outside" },
            { StreamError.Corrupt, "stranger" },
            { StreamError.Corrupt, "nameless" },
            { StreamError.Corrupt, "footer" },
            { StreamError.Corrupt, "twice" },
            { StreamError.Corrupt, "filled" },
            { StreamError.TooLarge, "large" },
        };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_cannot_be_read_is_refused_by_name(StreamError reason, string which) =>
        Refused(Broken(which), reason);

    /// <summary>Whatever is cut off or changed: a refusal or an image, and nothing else.</summary>
    [Fact]
    public void No_bytes_do_more_than_be_refused()
    {
        var random = new Random(1);
        byte[][] streams = [StreamBuilder.Small(4).Bytes, MappedStream.Of(0).Bytes];
        var (refused, taken) = (0, 0);
        var scratch = stackalloc byte[1];
        for (var run = 0; run < 20_000; run++)
        {
            var bytes = (byte[])streams[run % 2].Clone();
            for (var change = random.Next(4); change > 0; change--)
            {
                // Contents of pages are most of the bytes and mean nothing.
                var at = random.Next(2) == 0 ? random.Next(Math.Min(bytes.Length, 300)) : random.Next(bytes.Length);
                bytes[at] = random.Next(3) == 0 ? (byte)(1 << random.Next(8)) : (byte)random.Next(256);
            }

            if (random.Next(4) == 0)
                bytes = bytes[..random.Next(1, bytes.Length)];
            try
            {
                fixed (byte* start = bytes)
                {
                    PageOffsets? offsets = null;
                    try
                    {
                        var stream = SavedStreamReader.Read(
                            "fuzz",
                            start,
                            (ulong)bytes.Length,
                            b => offsets = new PageOffsets(b[^1].Range.End.Value)
                        );
                        Assert.True(stream.DeviceStateOffset + stream.DeviceStateBytes <= (ulong)bytes.Length);
                        Assert.All(stream.Blocks, b => Assert.True(b.PagesOffset + b.Bytes >= b.Bytes));
                        taken++;
                    }
                    finally
                    {
                        offsets?.Dispose();
                    }
                }
            }
            catch (StreamException)
            {
                refused++;
            }
        }

        Assert.True(refused > 1000 && taken > 1000, $"{refused} refused, {taken} taken");
    }

    private static StreamBuilder Broken(string which)
    {
        var ram = StreamBuilder.Of("pc-i440fx-7.2").StartOfRam(("pc.ram", 2 * 4096)).Part();
        return which switch
        {
            "elf" => new StreamBuilder().Raw([0x7f, (byte)'E', (byte)'L', (byte)'F', 0, 0, 0, 0, 0]),
            "version" => new StreamBuilder().UInt32(0x5145564d).UInt32(2).Byte(7),
            "old" => new StreamBuilder().UInt32(0x5145564d).UInt32(3).BeginSection("ram"),
            "subsection" => StreamBuilder.Of("pc").Byte(5).Counted("configuration/new").UInt32(1),
            "ignore-shared" => StreamBuilder.Of("pc", "x-ignore-shared"),
            "block" => StreamBuilder.Of("pc").BeginSection("block"),
            "bitmaps-later" => ram.EndOfPart().BeginSection("dirty-bitmap"),
            "early" => StreamBuilder.Of("pc").Device("virtio-mem", 7),
            "xbzrle" => ram.UInt64(0x1000 | 0x40),
            "compressed" => ram.UInt64(0x1000 | 0x100),
            "hook" => ram.UInt64(0x80),
            "multifd" => ram.UInt64(0x200),
            "no-eof" => ram.EndOfPart().EndOfRam().Device("cpu", 3),
            "half" => ram.UInt64(8).Counted("pc.ram").Raw(new byte[100]),
            "outside" => ram.Page(2, "pc.ram", 1),
            "stranger" => ram.Page(0, "pc.rom", 1),
            "nameless" => ram.Page(0, null, 1),
            "footer" => ram.UInt64(0x10).Byte(0x7e).UInt32(9),
            "twice" => StreamBuilder.Of("pc").StartOfRam(("a", 4096), ("a", 4096)),
            "filled" => ram.UInt64(2).Counted("pc.ram").Byte(1),
            "large" => StreamBuilder.Of("pc").BeginSection("ram").UInt64((1UL << 50) | 4),
            _ => throw new ArgumentOutOfRangeException(nameof(which)),
        };
    }

    private void Refused(StreamBuilder stream, StreamError reason)
    {
        var error = Assert.Throws<StreamException>(() => Open(stream).Dispose());
        Assert.Equal(reason, error.Reason);
        Assert.DoesNotContain('\n', error.Message);
    }

    private QemuImage Open(StreamBuilder stream) => QemuImage.Open(_folder.Write("vm.mig", stream.Bytes));

    private static int[] Firsts(QemuImage image)
    {
        var firsts = new int[image.Pages];
        for (ulong page = 0; page < image.Pages; page++)
        {
            var content = image.Read(new MemoryPage(page), null);
            firsts[page] = content == null ? 0 : content[0];
        }

        return firsts;
    }
}
