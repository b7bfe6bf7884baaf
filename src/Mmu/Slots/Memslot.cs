namespace Userfault.Mmu;

/// <summary>
/// The state of a memslot at one moment (<c>struct kvm_memory_slot</c>). Immutable: a change creates a new instance,
/// which the set of slots publishes as a whole, so that a reader never sees half a change.
/// </summary>
/// <param name="Id">Address space and id.</param>
/// <param name="Range">The guest frames that the slot backs; never empty.</param>
/// <param name="UserspaceAddress">Host virtual address of the first page.</param>
/// <param name="Flags">The region's flags.</param>
/// <param name="UserfaultBitmap">Address of the userfault bitmap; meaningless without the USERFAULT flag.</param>
/// <param name="GuestMemfd">The file that private pages come from, or null.</param>
/// <param name="GuestMemfdPage">Page of the file that backs the first gfn.</param>
/// <param name="IsInvalid">The slot is being deleted or moved (<c>KVM_MEMSLOT_INVALID</c>).</param>
public sealed record Memslot(
    SlotId Id,
    GfnRange Range,
    Hva UserspaceAddress,
    MemslotFlags Flags,
    Hva UserfaultBitmap = default,
    IGuestMemfd? GuestMemfd = null,
    ulong GuestMemfdPage = 0,
    bool IsInvalid = false
)
{
    /// <summary>Does the slot log dirty pages?</summary>
    public bool LogsDirtyPages => (Flags & MemslotFlags.LogDirtyPages) != 0;

    /// <summary>Are guest writes to the slot MMIO?</summary>
    public bool IsReadonly => (Flags & MemslotFlags.Readonly) != 0;

    /// <summary>Do private pages come from a guest_memfd?</summary>
    public bool HasGuestMemfd => (Flags & MemslotFlags.GuestMemfd) != 0;

    /// <summary>Do pages whose bit is set exit to user space?</summary>
    public bool IsUserfault => (Flags & MemslotFlags.Userfault) != 0;

    /// <summary>Host virtual address of a page. The gfn must lie in <see cref="Range"/>.</summary>
    public Hva HvaOf(Gfn gfn) => UserspaceAddress.Plus(gfn.PagesFrom(Range.Start) << Page.Shift);

    /// <summary>Index of a page in the slot's bitmaps. The gfn must lie in <see cref="Range"/>.</summary>
    public ulong IndexOf(Gfn gfn) => gfn.PagesFrom(Range.Start);

    /// <summary>Slot id, range and flags, for messages.</summary>
    public override string ToString() => $"{Id} {Range} flags {Flags}{(IsInvalid ? " invalid" : "")}";
}
