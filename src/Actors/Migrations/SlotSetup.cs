using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// The calls with which user space sets up one memslot for post-copy, and turns USERFAULT off at the end.
/// </summary>
/// <param name="Id">The slot.</param>
/// <param name="Range">Its frames.</param>
/// <param name="Bitmap">The missing pages.</param>
/// <param name="Base">Host virtual address of gfn 0's memory.</param>
/// <param name="Settings">The settings of the migration.</param>
internal sealed record SlotSetup(
    SlotId Id,
    GfnRange Range,
    UserfaultBitmap Bitmap,
    Hva Base,
    MigrationSettings Settings
)
{
    private const uint AnyDescriptor = 3;

    /// <summary>The pages of guest memory behind it: at setup, page n is at frame n.</summary>
    public MemoryPageRange Pages => new(new MemoryPage(Range.Start.Value), Range.Count);

    /// <summary>Does the slot use the flag?</summary>
    public bool UsesUserfault => Settings.Mode != FaultMode.Userfaultfd && !Settings.StartsWhole;

    /// <summary>
    /// Is the flag set by a second call? A guest_memfd slot is created and bound first, and then becomes userfault.
    /// </summary>
    public bool SetsUserfaultLate => Settings.Memory == MemoryKind.GuestMemfd;

    /// <summary>The call that creates the slot.</summary>
    public UserspaceMemoryRegion2 Create() =>
        Region(BaseFlags | (UsesUserfault && !SetsUserfaultLate ? MemslotFlags.Userfault : 0));

    /// <summary>The call that turns the flag on.</summary>
    public UserspaceMemoryRegion2 TurnOn() => Region(BaseFlags | MemslotFlags.Userfault);

    /// <summary>The call that turns the flag off.</summary>
    public UserspaceMemoryRegion2 TurnOff() => Region(BaseFlags);

    private MemslotFlags BaseFlags => Settings.Memory == MemoryKind.GuestMemfd ? MemslotFlags.GuestMemfd : 0;

    private UserspaceMemoryRegion2 Region(MemslotFlags flags) =>
        new()
        {
            Slot = Id.Raw,
            Flags = (uint)flags,
            GuestPhysicalAddress = Range.Start.ToGpa().Value,
            MemorySize = Range.Count << Page.Shift,
            UserspaceAddress = Base.Plus(Range.Start.Value << Page.Shift).Value,
            GuestMemfdOffset = Settings.Memory == MemoryKind.GuestMemfd ? Range.Start.Value << Page.Shift : 0,
            GuestMemfd = Settings.Memory == MemoryKind.GuestMemfd ? AnyDescriptor : 0,
            UserfaultBitmap = (flags & MemslotFlags.Userfault) != 0 ? HostMapping.AddressOf(Bitmap).Value : 0,
        };
}
