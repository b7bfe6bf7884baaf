using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>What cannot be read is refused: by its kind, in one line, with a mend.</summary>
public sealed unsafe class StreamRefusalTests : IDisposable
{
    // What becomes small when something is added to it.
    private const ulong HugeBytes = ulong.MaxValue - 4095;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

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
            { StreamError.Corrupt, "no-size" },
            { StreamError.Corrupt, "part-of-a-page" },
            { StreamError.Corrupt, "more-than-the-sum" },
            { StreamError.Corrupt, "sum-that-overflows" },
            { StreamError.Corrupt, "no-name" },
            { StreamError.Corrupt, "no-memory" },
            { StreamError.Corrupt, "name-that-is-none" },
            { StreamError.Corrupt, "machine-that-is-none" },
            { StreamError.Corrupt, "machine-too-long" },
            { StreamError.Corrupt, "capabilities" },
            { StreamError.Corrupt, "foreign-part" },
            { StreamError.Corrupt, "device-in-ram" },
            { StreamError.Corrupt, "unknown-flag" },
            { StreamError.Corrupt, "first-footer" },
            { StreamError.Version, "ram-version" },
            { StreamError.Version, "ram-instance" },
            { StreamError.TooLarge, "large" },
            { StreamError.TooLarge, "blocks" },
            { StreamError.Corrupt, "mapped-version" },
            { StreamError.Corrupt, "mapped-page" },
            { StreamError.Corrupt, "mapped-bitmap-behind" },
            { StreamError.Corrupt, "mapped-pages-in-bitmap" },
            { StreamError.Corrupt, "mapped-twice-there" },
            { StreamError.Corrupt, "mapped-records" },
            { StreamError.CutOff, "mapped-bitmap-outside" },
            { StreamError.CutOff, "mapped-pages-outside" },
            { StreamError.CutOff, "mapped-overflow" },
            { StreamError.CutOff, "mapped-overflow-bitmap" },
            { StreamError.LibvirtFormat, "libvirt-version" },
            { StreamError.LibvirtFormat, "libvirt-format" },
            { StreamError.CutOff, "libvirt-part" },
            { StreamError.CutOff, "libvirt-xml" },
            { StreamError.Corrupt, "libvirt-long-xml" },
            { StreamError.CutOff, "zeros-at-the-end" },
        };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_cannot_be_read_is_refused_by_name(StreamError reason, string which) =>
        Refused(Broken(which), reason);

    /// <summary>A file that is cut off anywhere is refused, and nothing behind its end is read.</summary>
    [Theory]
    [InlineData("plain")]
    [InlineData("undescribed")]
    [InlineData("mapped")]
    [InlineData("libvirt")]
    public void Every_beginning_of_a_file_is_refused(string which)
    {
        var bytes = which switch
        {
            "plain" => StreamBuilder.Small(3).Bytes,
            "undescribed" => StreamBuilder
                .Of("pc")
                .StartOfRam(("pc.ram", 4096))
                .EndOfRam()
                .Device("timer", 0)
                .Device("cpu", 1)
                .Eof()
                .Bytes,
            "mapped" => MappedStream.Of(0).Bytes,
            _ => LibvirtStream.Of("<domain/>", StreamBuilder.Small(1)).Bytes,
        };
        using var memory = new GuardedBytes(bytes.Length);
        var whole = 0;
        for (var length = 0; length <= bytes.Length; length++)
        {
            var start = memory.Fill(bytes.AsSpan(0, length));
            PageOffsets? offsets = null;
            try
            {
                _ = SavedStreamReader.Read(
                    "vm.mig",
                    start,
                    (ulong)length,
                    b => offsets = new PageOffsets(b[^1].Range.End.Value)
                );
                whole++;
            }
            catch (StreamException e)
            {
                Assert.Contains(e.Reason, new[] { StreamError.CutOff, StreamError.NotAStream });
            }
            finally
            {
                offsets?.Dispose();
            }
        }

        // All of it; and that without the description, which may be missing.
        Assert.Equal(which == "undescribed" ? 1 : 2, whole);
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
            "large" => Ram("pc", sum: 1UL << 50),
            "no-size" => Ram("pc", 4096).Counted("a").UInt64(0),
            "part-of-a-page" => Ram("pc", 4096).Counted("a").UInt64(4095),
            "more-than-the-sum" => Ram("pc", 8192).Counted("a").UInt64(4096).Counted("b").UInt64(8192),
            "sum-that-overflows" => Ram("pc", 8192)
                .Counted("a")
                .UInt64(4096)
                .Counted("b")
                .UInt64(ulong.MaxValue - 4095),
            "no-name" => Ram("pc", 4096).Counted("").UInt64(4096),
            "no-memory" => Ram("pc", 0),
            "name-that-is-none" => Ram("pc", 4096).Counted("a\u001b[2J").UInt64(4096),
            "machine-that-is-none" => StreamBuilder.Of("pc\n"),
            "machine-too-long" => StreamBuilder.Of(new string('a', 256)),
            "capabilities" => StreamBuilder
                .Of("pc")
                .Byte(5)
                .Counted("configuration/capabilities")
                .UInt32(1)
                .UInt32(uint.MaxValue),
            "foreign-part" => ram.EndOfPart().Byte(2).UInt32(7),
            "device-in-ram" => ram.EndOfPart().Device("cpu", 3),
            "unknown-flag" => ram.UInt64(0x401),
            "first-footer" => Ram("pc", 4096).Counted("a").UInt64(4096).UInt64(0x10).Byte(0x7e).UInt32(1),
            "ram-version" => StreamBuilder.Of("pc").Byte(1).UInt32(2).Counted("ram").UInt32(0).UInt32(3),
            "ram-instance" => StreamBuilder.Of("pc").Byte(1).UInt32(2).Counted("ram").UInt32(1).UInt32(4),
            "blocks" => ManyBlocks(5000),
            "mapped-version" => Mapped().Counted("a").UInt64(4096).UInt32(2).UInt64(4096).UInt64(0x1000).UInt64(0x2000),
            "mapped-page" => Mapped().Counted("a").UInt64(4096).UInt32(1).UInt64(65536).UInt64(0x1000).UInt64(0x2000),
            "mapped-bitmap-behind" => Entry(Mapped(), "a", 8, 8).PadTo(0x4000),
            "mapped-pages-in-bitmap" => Entry(Mapped(), "a", 0x1000, 0x1000).PadTo(0x4000),
            "mapped-twice-there" => Entry(Entry(Mapped(2), "a", 0x1000, 0x2000).PadTo(0x3000), "b", 0x1000, 0x2000)
                .PadTo(0x9000),
            "mapped-records" => Entry(Mapped(), "a", 0x1000, 0x2000).PadTo(0x3000).Page(0, "a", 1),
            "mapped-bitmap-outside" => Entry(Mapped(), "a", 0x4000, 0x5000).PadTo(0x4000),
            "mapped-pages-outside" => Entry(Mapped(), "a", 0x1000, 0x3001).PadTo(0x4000),
            "mapped-overflow" => Entry(Mapped(), "a", 0x1000, HugeBytes).PadTo(0x4000),
            "mapped-overflow-bitmap" => Entry(Mapped(), "a", ulong.MaxValue, 0x2000).PadTo(0x4000),
            "libvirt-version" => LibvirtStream.Of("<domain/>", StreamBuilder.Small(), version: 3),
            "libvirt-format" => LibvirtStream.Of("<domain/>", StreamBuilder.Small(), format: 1),
            "libvirt-part" => new StreamBuilder().Raw("LibvirtQemudPart"u8.ToArray()).PadTo(200),
            "libvirt-xml" => new StreamBuilder().Raw(LibvirtStream.Of("<domain/>", new StreamBuilder()).Bytes[..^1]),
            "libvirt-long-xml" => LibvirtStream.Of(new string('a', 17 << 20), StreamBuilder.Small()),
            // A state of devices without its end, and no description: the last byte looks like the end.
            "zeros-at-the-end" => ram.EndOfPart().EndOfRam().Byte(4).UInt32(3).Counted("cpu").PadTo(400),
            _ => throw new ArgumentOutOfRangeException(nameof(which)),
        };
    }

    private static StreamBuilder Ram(string machine, ulong sum) =>
        StreamBuilder.Of(machine).BeginSection("ram").UInt64(sum | 4);

    private static StreamBuilder Mapped(ulong pages = 1) =>
        StreamBuilder.Of("pc", "mapped-ram").BeginSection("ram").UInt64((pages * 4096) | 4);

    private static StreamBuilder Entry(StreamBuilder builder, string name, ulong bitmap, ulong pages) =>
        MappedStream.Entry(builder, name, 1, bitmap, pages);

    private static StreamBuilder ManyBlocks(int count)
    {
        var builder = Ram("pc", (ulong)count * 4096);
        for (var i = 0; i < count; i++)
            builder.Counted($"b{i}").UInt64(4096);
        return builder;
    }

    private void Refused(StreamBuilder stream, StreamError reason)
    {
        var error = Assert.Throws<StreamException>(() => Open(stream).Dispose());
        Assert.Equal(reason, error.Reason);
        Assert.DoesNotContain('\n', error.Message);
    }

    private QemuImage Open(StreamBuilder stream) => QemuImage.Open(_folder.Write("vm.mig", stream.Bytes));
}
