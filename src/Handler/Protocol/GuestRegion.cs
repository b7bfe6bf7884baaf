using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>One guest memory region as a monitor hands it over.</summary>
/// <param name="Start">Its first byte's address in the monitor (base_host_virt_addr).</param>
/// <param name="Bytes">Its size (size).</param>
/// <param name="Offset">Where it starts in the memory file, in bytes (offset).</param>
/// <param name="PageBytes">Bytes of a page: 4096, or 2 MiB for huge pages.</param>
public readonly record struct GuestRegion(ulong Start, ulong Bytes, ulong Offset, ulong PageBytes)
{
    /// <summary>Address behind its last byte.</summary>
    public ulong End => Start + Bytes;

    /// <summary>Its pages in the memory file.</summary>
    public MemoryPageRange Pages => new(new MemoryPage(Offset >> Page.Shift), Bytes >> Page.Shift);

    /// <summary>Does the address lie in it?</summary>
    public bool Contains(ulong address) => address - Start < Bytes;

    /// <summary>The page of the memory file at an address of the region.</summary>
    public MemoryPage GfnAt(ulong address) => new((Offset + (address - Start)) >> Page.Shift);

    /// <summary>The address of a page of the memory file that lies in the region.</summary>
    public ulong AddressOf(MemoryPage page) => Start + ((page.Value << Page.Shift) - Offset);
}
