using System.Text.Json;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary><c>userfault qemu info</c>.</summary>
public sealed class QemuInfoTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_tells_blocks_devices_and_options()
    {
        var stream = StreamBuilder
            .Of("pc-i440fx-7.2")
            .StartOfRam(("pc.ram", 3 << 20), ("0000:00:02.0/vga.vram", 8192))
            .Part()
            .Page(1, "pc.ram", 1)
            .Page(2, null, 2)
            .Page(1, "0000:00:02.0/vga.vram", 1)
            .EndOfPart()
            .EndOfRam();
        string[] devices =
        [
            "timer",
            "cpu_common",
            "0000:00:00.0/I440FX",
            "serial",
            "0000:00:02.0/vga",
            "0000:00:1d.7/something-new",
            "0000:00:0b.0:03.0/virtio-net",
            "0000:00:04.0/1/usb-ptr",
        ];
        for (uint i = 0; i < devices.Length; i++)
            stream.Device(devices[i], 3 + i);
        var info = await Info(stream.Eof(devices));

        Assert.Equal("plain", info.GetProperty("kind").GetString());
        Assert.Equal("pc-i440fx-7.2", info.GetProperty("machine").GetString());
        Assert.False(info.GetProperty("isLibvirtSave").GetBoolean());
        Assert.Equal((770, 3), (Number(info, "pages"), Number(info, "contentPages")));
        var vram = info.GetProperty("blocks")[1];
        Assert.Equal("0000:00:02.0/vga.vram", vram.GetProperty("name").GetString());
        Assert.Equal(
            (8192, 768, 2, 1, 1),
            (
                Number(vram, "bytes"),
                Number(vram, "firstPage"),
                Number(vram, "pages"),
                Number(vram, "contentPages"),
                Number(vram, "zeroPages")
            )
        );
        Assert.Equal(devices, info.GetProperty("devices").EnumerateArray().Select(Name));
        Assert.Contains(info.GetProperty("index").GetString(), new[] { "made", "not_kept" });

        var to = info.GetProperty("destination");
        Assert.Equal("7.2", to.GetProperty("atLeast").GetString());
        Assert.Equal("qemu-system-x86_64", to.GetProperty("program").GetString());
        var arguments = to.GetProperty("arguments").EnumerateArray().Select(static a => a.GetString()).ToList();
        Assert.Equal("pc-i440fx-7.2", arguments[arguments.IndexOf("-machine") + 1]);
        Assert.Equal("3M", arguments[arguments.IndexOf("-m") + 1]);
        Assert.Equal("1", arguments[arguments.IndexOf("-smp") + 1]);
        Assert.Equal("defer", arguments[arguments.IndexOf("-incoming") + 1]);
        // What the machine brings by itself is not named.
        Assert.Equal(devices[3..], to.GetProperty("devices").EnumerateArray().Select(Name));
        Assert.Equal(
            [
                "-serial",
                "-device VGA,addr=0x2",
                "-device something-new,addr=0x1d.7",
                "-device virtio-net-pci,bus=BUS,addr=0x3",
                "-device usb-tablet",
            ],
            to.GetProperty("devices")
                .EnumerateArray()
                .Select(static d => d.GetProperty("option").GetString()!.Split(" (")[0])
        );
    }

    [Fact]
    public async Task It_tells_mapped_ram_and_what_has_written_it()
    {
        var info = await Info(MappedStream.Of(0));
        Assert.Equal("mapped-ram", info.GetProperty("kind").GetString());
        Assert.Equal("not_needed", info.GetProperty("index").GetString());
        Assert.Equal("9.0", info.GetProperty("savedByAtLeast").GetString());
        Assert.Equal([2, 1], info.GetProperty("blocks").EnumerateArray().Select(static b => Number(b, "contentPages")));

        var ten = StreamBuilder.Of("pc-i440fx-7.2").StartOfRam(("pc.ram", 4096)).Command(11).EndOfRam();
        info = await Info(ten.Device("cpu", 3).Eof());
        Assert.Equal("10.0", info.GetProperty("savedByAtLeast").GetString());
        Assert.False(info.GetProperty("hasDescription").GetBoolean());
    }

    [Fact]
    public async Task Memory_that_is_an_object_is_named_as_one()
    {
        var stream = StreamBuilder
            .Of("pc-q35-10.0")
            .StartOfRam(("pc.bios", 4096), ("mem0", 3 << 20), ("dimm1", 1 << 20))
            .EndOfRam();
        var to = (await Info(stream.Device("cpu", 3).Eof("cpu"))).GetProperty("destination");
        var arguments = to.GetProperty("arguments").EnumerateArray().Select(static a => a.GetString()).ToList();
        Assert.Equal("memory-backend-memfd,id=mem0,size=3M,share=on", arguments[arguments.IndexOf("-object") + 1]);
        Assert.Equal("pc-q35-10.0,memory-backend=mem0", arguments[arguments.IndexOf("-machine") + 1]);
        Assert.Equal(["dimm1"], to.GetProperty("backends").EnumerateArray().Select(static b => b.GetString()));
    }

    [Theory]
    [InlineData("<domain><devices><name>disk</name></devices><name>debian\t12</name></domain>", "debian?12")]
    [InlineData("<domain><uuid/></domain>", null)]
    [InlineData("<domain", null)]
    [InlineData("<!DOCTYPE d [<!ENTITY e SYSTEM \"/etc/passwd\">]><domain><name>&e;</name></domain>", null)]
    public async Task It_tells_libvirts_domain(string xml, string? domain)
    {
        var info = await Info(LibvirtStream.Of(xml, StreamBuilder.Small()));
        Assert.True(info.GetProperty("isLibvirtSave").GetBoolean());
        Assert.Equal(domain, info.GetProperty("domain").GetString());
    }

    /// <summary>The options are for a shell, and the machine's name comes from the file.</summary>
    [Fact]
    public async Task Names_are_quoted_for_the_shell()
    {
        var stream = StreamBuilder.Of("pc';reboot #").StartOfRam(("pc.ram", 4096)).EndOfRam().Device("cpu", 3).Eof();
        var run = await CommandLine.Run("qemu", "info", _folder.Write("vm.mig", stream.Bytes));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(@"-machine 'pc'\'';reboot #' \", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_stream_is_one_line()
    {
        (await CommandLine.Run("qemu", "info", _folder.Write("raw", new byte[4096]))).IsBadInput("raw", "NotAStream");
        (await CommandLine.Run("qemu", "info", _folder.At("none"))).IsBadInput("none");
        var device = StreamBuilder.Of("pc").StartOfRam(("pc.ram", 4096)).EndOfRam().Device("cpu", 3).Eof("timer");
        (await CommandLine.Run("qemu", "info", _folder.Write("odd", device.Bytes))).IsBadInput("odd", "Corrupt");
    }

    private static int Number(JsonElement of, string name) => of.GetProperty(name).GetInt32();

    private static string? Name(JsonElement of) => of.GetProperty("name").GetString();

    private async Task<JsonElement> Info(StreamBuilder stream)
    {
        var run = await CommandLine.Run("qemu", "info", "--json", _folder.Write("vm.mig", stream.Bytes));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return JsonDocument.Parse(run.Output).RootElement;
    }
}
