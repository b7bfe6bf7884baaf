using System.Buffers.Binary;
using System.Text.Json;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>The reader on files that QEMU has saved.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed unsafe class SavedFileTests(SavedGuest saved)
{
    [SkippableFact]
    public void A_plain_stream_has_the_memory_of_the_guest()
    {
        QemuProgram.IsNeeded();
        HasTheMemoryOfTheGuest(saved.Plain);
    }

    [SkippableFact]
    public void A_stream_with_mapped_ram_has_the_memory_of_the_guest()
    {
        QemuProgram.MappedRamIsNeeded();
        HasTheMemoryOfTheGuest(saved.MappedRam);
    }

    [SkippableFact]
    public void Sections_of_a_plain_stream_are_the_devices_of_its_description()
    {
        QemuProgram.IsNeeded();
        DevicesAreTheDescriptionsNames(saved.Plain);
    }

    [SkippableFact]
    public void Sections_of_a_stream_with_mapped_ram_are_the_devices_of_its_description()
    {
        QemuProgram.MappedRamIsNeeded();
        DevicesAreTheDescriptionsNames(saved.MappedRam);
    }

    private void HasTheMemoryOfTheGuest(string path)
    {
        using var image = QemuImage.Open(path);
        Assert.StartsWith("pc-i440fx-", image.Stream.Machine, StringComparison.Ordinal);
        var ram = image.Stream.Blocks.Single(static block => block.Name == "pc.ram");
        Assert.Equal((ulong)saved.RamMib << 20, ram.Bytes);
        var expected = new byte[Page.Size];
        for (ulong i = GuestRom.FirstPage; i < ram.Pages; i++)
        {
            var writes = Counter(image, ram, i);
            GuestRom.Fill(i, writes, expected);
            var content = Content(image, ram.FirstPage.Plus(i));
            Assert.True(expected.AsSpan().SequenceEqual(content), $"page 0x{i:x} is not what the guest filled in");
            Assert.Equal(GuestRom.IsZero(i) && writes == 0, image.IsZero(ram.FirstPage.Plus(i)));
        }

        var rom = image.Stream.Blocks.Single(static block => block.Name == "pc.bios");
        var firmware = File.ReadAllBytes(saved.Rom);
        Assert.Equal((ulong)firmware.Length, rom.Bytes);
        for (ulong i = 0; i < rom.Pages; i++)
        {
            var content = Content(image, rom.FirstPage.Plus(i));
            Assert.True(firmware.AsSpan((int)i * Page.Size, Page.Size).SequenceEqual(content), $"page {i} of the ROM");
        }
    }

    private static uint Counter(QemuImage image, RamBlock ram, ulong page)
    {
        var address = GuestRom.Counters + (4 * page);
        var content = Content(image, ram.FirstPage.Plus(address / Page.Size));
        return BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan((int)(address % Page.Size)));
    }

    private static byte[] Content(QemuImage image, MemoryPage page)
    {
        var content = new byte[Page.Size];
        var bytes = image.Read(page, null);
        if (bytes != null)
            new ReadOnlySpan<byte>(bytes, Page.Size).CopyTo(content);
        return content;
    }

    private static void DevicesAreTheDescriptionsNames(string path)
    {
        using var image = QemuImage.Open(path);
        using var description = JsonDocument.Parse(image.Description.ToArray());
        var named = description
            .RootElement.GetProperty("devices")
            .EnumerateArray()
            .Select(static d => (d.GetProperty("name").GetString(), d.GetProperty("instance_id").GetUInt32()))
            .ToList();
        var devices = image.Devices();
        Assert.NotEmpty(named);
        Assert.Equal(named, devices.Select(static d => ((string?)d.Name, d.Instance)));
        Assert.Equal((ulong)image.DeviceState.Length, devices.Aggregate(0UL, static (sum, d) => sum + d.Bytes));
    }
}
