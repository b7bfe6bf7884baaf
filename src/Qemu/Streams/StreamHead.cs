namespace Userfault.Qemu;

/// <summary>What stands in front of the pages of a saved stream.</summary>
/// <param name="Configuration">The machine.</param>
/// <param name="RamSection">The id of the RAM section.</param>
/// <param name="RamVersion">The version of the RAM section.</param>
/// <param name="Blocks">Blocks in the order of the file; at least one.</param>
/// <param name="Position">Where the list of blocks ends, and records may begin.</param>
/// <param name="HasSwitchoverStart">Did the SWITCHOVER_START command come?</param>
/// <param name="LibvirtXml">libvirt's domain XML; empty without it.</param>
internal sealed record StreamHead(
    StreamConfiguration Configuration,
    uint RamSection,
    uint RamVersion,
    IReadOnlyList<RamBlock> Blocks,
    ulong Position,
    bool HasSwitchoverStart,
    string LibvirtXml
)
{
    /// <summary>Pages of all blocks.</summary>
    public ulong Pages => Blocks[^1].Range.End.Value;
}
