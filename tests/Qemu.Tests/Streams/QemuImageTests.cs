using System.Text;
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
        using var image = Open(LibvirtStream.Of("<domain/>", StreamBuilder.Small()));
        Assert.Equal("<domain/>", image.Stream.LibvirtXml);
        Assert.Equal([0, 1, 0, 3, 0, 5, 0, 7], Firsts(image));
    }

    /// <summary>mapped-ram's offsets count from the start of the file, wherever the stream begins in it.</summary>
    [Fact]
    public void Mapped_ram_behind_something_has_its_offsets_from_the_start_of_the_file()
    {
        const string xml = "<domain/>";
        var start = (ulong)LibvirtStream.Of(xml, new StreamBuilder()).Length;
        using var image = Open(LibvirtStream.Of(xml, MappedStream.Of(start)));
        Assert.Equal([0, 0x11, 0, 0x13, 0x22], Firsts(image));
    }

    /// <summary>The description is found by its length: what it begins with and holds is QEMU's to choose.</summary>
    [Theory]
    [InlineData("""{"configuration":{"a":{"b":1}},"page_size":4096,"devices":[{"name":"cpu"}],"x":{}}""")]
    [InlineData("""{"devices":[{"name":"cpu","fields":[{"name":"a"},{"name":"b"}]}]}""")]
    public void The_description_is_found_whatever_it_begins_with(string json)
    {
        var stream = StreamBuilder.Of("pc").StartOfRam(("pc.ram", 4096)).EndOfRam().Device("cpu", 3).Byte(0);
        using var image = Open(stream.Byte(6).UInt32((uint)json.Length).Raw(Encoding.UTF8.GetBytes(json)));
        Assert.Equal(json, Encoding.UTF8.GetString(image.Description));
        Assert.Equal("cpu", Assert.Single(image.Devices()).Name);
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
