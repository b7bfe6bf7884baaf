namespace Userfault.Qemu;

/// <summary>
/// What a saved stream holds beside its pages. Offsets are in bytes from the start of the file.
/// </summary>
public sealed record SavedStream
{
    /// <summary>The machine type that the destination must run.</summary>
    public required string Machine { get; init; }

    /// <summary>
    /// The configuration as it is to be sent: with machine type, target page bits and UUID, without capabilities.
    /// </summary>
    public required ReadOnlyMemory<byte> Configuration { get; init; }

    /// <summary>Does it have pages at fixed offsets (mapped-ram)?</summary>
    public bool IsMappedRam { get; init; }

    /// <summary>The id of the RAM section.</summary>
    public required uint RamSection { get; init; }

    /// <summary>The version of the RAM section.</summary>
    public required uint RamVersion { get; init; }

    /// <summary>Blocks in the order of the file.</summary>
    public required IReadOnlyList<RamBlock> Blocks { get; init; }

    /// <summary>Where the state of the devices begins.</summary>
    public required ulong DeviceStateOffset { get; init; }

    /// <summary>Bytes of the state of the devices; no EOF.</summary>
    public required ulong DeviceStateBytes { get; init; }

    /// <summary>Where QEMU's description of the devices (JSON) begins; 0 without one.</summary>
    public ulong DescriptionOffset { get; init; }

    /// <summary>Does it carry the SWITCHOVER_START command, which QEMU has since 10.0?</summary>
    public bool HasSwitchoverStart { get; init; }

    /// <summary>libvirt's domain XML from in front of the stream; empty without it.</summary>
    public string LibvirtXml { get; init; } = "";

    /// <summary>Pages of all blocks.</summary>
    public ulong Pages => Blocks.Count == 0 ? 0 : Blocks[^1].Range.End.Value;
}
