namespace Userfault.Mmu;

/// <summary>
/// The checks of <c>KVM_SET_USER_MEMORY_REGION2</c> in the kernel's order (<c>kvm_set_memory_region</c> and
/// <c>kvm_arch_prepare_memory_region</c>). A decision only: nothing is changed, and only the region and the existing
/// slots are read.
/// </summary>
public static class RegionChecks
{
    /// <summary>
    /// Maximum pages of a slot: the dirty log indexes them with 31 bits (<c>KVM_MEM_MAX_NR_PAGES</c>).
    /// </summary>
    public const ulong MaxPages = (1UL << 31) - 1;

    private const MemslotFlags Version1Flags = MemslotFlags.LogDirtyPages | MemslotFlags.Readonly;

    /// <summary>May the older KVM_SET_USER_MEMORY_REGION carry these flags? EINVAL otherwise.</summary>
    public static bool AreVersion1Flags(MemslotFlags flags) => (flags & ~Version1Flags) == 0;

    /// <summary>All checks up to the overlap with other slots: the effect of the call, or why it fails.</summary>
    /// <param name="region">The region as user space passes it.</param>
    /// <param name="policy">The VM's limits.</param>
    /// <param name="addressSpaces">The existing slots, one set per address space of the VM.</param>
    /// <remarks>
    /// The caller must still do the following, in this order: bind a guest_memfd, then call <see cref="CheckWidth"/>.
    /// </remarks>
    public static MemslotPlan Plan(
        in UserspaceMemoryRegion2 region,
        MmuPolicy policy,
        ReadOnlySpan<MemslotSet> addressSpaces
    )
    {
        var errno = CheckRegion(region, policy, addressSpaces.Length);
        if (errno != Errno.None)
            return MemslotPlan.Fail(errno);

        var set = addressSpaces[region.SlotId.AddressSpace];
        var old = set.FindById(region.SlotId.Id);
        if (region.MemorySize == 0)
        {
            return old is null
                ? MemslotPlan.Fail(Errno.EINVAL)
                : new MemslotPlan(Errno.None, MemslotChange.Delete, old, null);
        }

        var range = new GfnRange(new Gpa(region.GuestPhysicalAddress).ToGfn(), region.MemorySize >> Page.Shift);
        var change = old is null ? MemslotChange.Create : Compare(old, range, region);
        if (change is null)
            return MemslotPlan.Fail(Errno.EINVAL);
        if (change is MemslotChange.Create or MemslotChange.Move && set.Current.Overlaps(range, except: region.SlotId))
        {
            return MemslotPlan.Fail(Errno.EEXIST);
        }

        return new MemslotPlan(Errno.None, change.Value, old, MakeSlot(old, range, region));
    }

    /// <summary>The last check: does the slot end within the guest's physical address width?</summary>
    /// <returns>None if it does; otherwise EINVAL on x86, EFAULT on arm64.</returns>
    public static Errno CheckWidth(GfnRange range, MmuPolicy policy)
    {
        var frames = 1UL << (policy.PhysicalAddressBits - Page.Shift);
        return range.Count <= frames && range.Start.Value <= frames - range.Count
            ? Errno.None
            : policy.BeyondWidthErrno;
    }

    /// <summary>The checks of the region alone: 1 to 9 of the call.</summary>
    private static Errno CheckRegion(in UserspaceMemoryRegion2 region, MmuPolicy policy, int addressSpaces)
    {
        var flags = region.MemslotFlags;
        var size = region.MemorySize;
        var id = region.SlotId;
        if ((flags & ~ValidFlags(flags)) != 0)
            return Errno.EINVAL;
        if ((size & Page.OffsetMask) != 0)
            return Errno.EINVAL;
        if ((region.GuestPhysicalAddress & Page.OffsetMask) != 0)
            return Errno.EINVAL;
        if ((region.UserspaceAddress & Page.OffsetMask) != 0 || !policy.IsUserSpace(region.UserspaceAddress, size))
            return Errno.EINVAL;
        if (
            (flags & MemslotFlags.GuestMemfd) != 0
            && ((region.GuestMemfdOffset & Page.OffsetMask) != 0 || Wraps(region.GuestMemfdOffset, size))
        )
        {
            return Errno.EINVAL;
        }

        if (id.AddressSpace >= addressSpaces || id.Id >= policy.UserSlots)
            return Errno.EINVAL;
        if (Wraps(region.GuestPhysicalAddress, size))
            return Errno.EINVAL;
        if (size >> Page.Shift > MaxPages)
            return Errno.EINVAL;
        // The bitmap is not read here: a pointer into unmapped user space is accepted, and the vCPU gets an EFAULT
        // later.
        if (
            (flags & MemslotFlags.Userfault) != 0
            && !policy.IsUserSpace(region.UserfaultBitmap, BitmapBytes(size >> Page.Shift))
        )
        {
            return Errno.EINVAL;
        }

        return Errno.None;
    }

    private static MemslotFlags ValidFlags(MemslotFlags flags)
    {
        const MemslotFlags Always = MemslotFlags.GuestMemfd | MemslotFlags.Userfault;
        // Private memory cannot be logged, and it cannot have the MMIO semantics of writes to a READONLY slot either.
        return (flags & MemslotFlags.GuestMemfd) != 0
            ? Always
            : Always | MemslotFlags.LogDirtyPages | MemslotFlags.Readonly;
    }

    /// <summary>The change that a region makes to the slot with its id; null if that is EINVAL.</summary>
    private static MemslotChange? Compare(Memslot old, GfnRange range, in UserspaceMemoryRegion2 region)
    {
        const MemslotFlags Fixed = MemslotFlags.Readonly | MemslotFlags.GuestMemfd;
        var flags = region.MemslotFlags;
        if (
            region.UserspaceAddress != old.UserspaceAddress.Value
            || range.Count != old.Range.Count
            || ((flags ^ old.Flags) & Fixed) != 0
        )
        {
            return null;
        }

        if (range.Start != old.Range.Start)
            return old.HasGuestMemfd ? null : MemslotChange.Move;
        // Another bitmap with the same flags is no change: the kernel silently keeps the old pointer.
        return flags == old.Flags ? MemslotChange.Nothing : MemslotChange.FlagsOnly;
    }

    private static Memslot MakeSlot(Memslot? old, GfnRange range, in UserspaceMemoryRegion2 region) =>
        new(
            region.SlotId,
            range,
            new Hva(region.UserspaceAddress),
            region.MemslotFlags,
            (region.MemslotFlags & MemslotFlags.Userfault) != 0 ? new Hva(region.UserfaultBitmap) : default,
            old?.GuestMemfd,
            old is not null ? old.GuestMemfdPage : region.GuestMemfdOffset >> Page.Shift
        );

    private static ulong BitmapBytes(ulong pages) => (pages + 63) / 64 * sizeof(ulong);

    private static bool Wraps(ulong start, ulong size) => start + size < start;
}
