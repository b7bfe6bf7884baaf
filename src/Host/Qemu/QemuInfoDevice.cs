namespace Userfault.Cli;

/// <summary>
/// A device that the destination's options must bring, by the name of its state. What QEMU calls the state of a device
/// and what it calls the device are two names; the options that belong to it (a disk, a network) are not in the file.
/// </summary>
/// <param name="Name">The name of its state.</param>
/// <param name="Option">A guess at the option.</param>
internal sealed record QemuInfoDevice(string Name, string Option)
{
    private const string FirstBus = "0000:00:";

    // What machines bring by themselves, also with -nodefaults: no option names it.
    private static readonly HashSet<string> OfMachine = new(StringComparer.Ordinal)
    {
        "timer",
        "cpu_common",
        "cpu",
        "kvm-tpr-opt",
        "kvmclock",
        "apic",
        "fw_cfg",
        "PCIHost",
        "PCIBUS",
        "I440FX",
        "PIIX3",
        "ide",
        "piix4_pm",
        "mch",
        "ICH9LPC",
        "ich9_ahci",
        "ich9_smb",
        "dma",
        "i8259",
        "ioapic",
        "hpet",
        "mc146818rtc",
        "i8254",
        "pcspk",
        "fdc",
        "ps2kbd",
        "ps2mouse",
        "pckbd",
        "vmmouse",
        "port92",
        "i2c_bus",
        "acpi_build",
        "globalstate",
    };

    private static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["serial"] = "-serial",
        ["parallel_isa"] = "-parallel",
        ["slirp"] = "-netdev user",
    };

    private static readonly Dictionary<string, string> Devices = new(StringComparer.Ordinal)
    {
        ["virtio-net"] = "virtio-net-pci",
        ["virtio-blk"] = "virtio-blk-pci",
        ["virtio-scsi"] = "virtio-scsi-pci",
        ["virtio-rng"] = "virtio-rng-pci",
        ["virtio-balloon"] = "virtio-balloon-pci",
        ["virtio-console"] = "virtio-serial-pci",
        ["virtio-gpu"] = "virtio-gpu-pci",
        ["vga"] = "VGA",
        ["cirrus_vga"] = "cirrus-vga",
        ["xhci"] = "qemu-xhci",
        ["usb-ptr"] = "usb-tablet",
    };

    /// <summary>The device that a state belongs to; null where the machine brings it.</summary>
    public static QemuInfoDevice? Of(string state)
    {
        // 0000:00:03.0/virtio-net; behind a bridge 0000:00:0b.0:00.0/virtio-net; on a bus of its own
        // 0000:00:04.0/1/usb-ptr.
        var parts = state.Split('/');
        var kind = parts[^1];
        if (OfMachine.Contains(kind))
            return null;
        if (Others.TryGetValue(kind, out var option))
            return new QemuInfoDevice(state, option);
        var isOnPci = parts.Length == 2 && parts[0].StartsWith(FirstBus, StringComparison.Ordinal);
        var place = (isOnPci ? parts[0][FirstBus.Length..] : "").Split(':') switch
        {
            [{ Length: > 0 } slot] => $",addr={AddressOf(slot)}",
            [var bridge, .., var slot] => $",bus=BUS,addr={AddressOf(slot)} (BUS: of the bridge at {bridge})",
            _ => "",
        };
        return new QemuInfoDevice(state, $"-device {Devices.GetValueOrDefault(kind, kind)}{place}");
    }

    // "0b.0" is 0xb, "1f.2" is 0x1f.2.
    private static string AddressOf(string slot)
    {
        var number = slot.Split('.')[0].TrimStart('0');
        var address = $"0x{(number.Length == 0 ? "0" : number)}";
        return slot.EndsWith(".0", StringComparison.Ordinal) ? address : $"{address}.{slot.Split('.')[^1]}";
    }
}
