namespace Userfault.Mmu;

/// <summary>
/// The fault path, step by step in the kernel's order, for both architectures: x86's <c>kvm_tdp_page_fault</c> and
/// arm64's <c>kvm_handle_guest_abort</c>. The steps are numbered; where the architectures differ, a policy decides.
/// </summary>
internal static class FaultPath
{
    /// <summary>
    /// The outcome of an access whose gfn no slot backs (steps 1 and 2), for callers that look slots up.
    /// </summary>
    /// <param name="policy">The VM's policy.</param>
    /// <param name="attributes">The VM's private pages.</param>
    /// <param name="access">The access.</param>
    public static FaultOutcome RunWithoutSlot(MmuPolicy policy, MemoryAttributes attributes, in VcpuAccess access)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(attributes);
        return IsMismatch(policy, attributes, access)
            ? FaultOutcome.Exit(access, MemoryFaultFlags.None)
            : NoMemory(policy, access);
    }

    internal static FaultOutcome Run(MemslotCore core, IHostMemory host, in VcpuAccess access)
    {
        var policy = core.Policy;
        var slot = core.Slot;
        var gfn = access.Gfn;
        if (!slot.Range.Contains(gfn))
            throw new ArgumentOutOfRangeException(nameof(access), $"{gfn} is not in {slot}");
        if (core.UnflushedBreak.Contains(gfn))
            return FaultOutcome.Of(FaultKind.FlushFirst, gfn) with { Flush = core.UnflushedBreak };

        var isMismatch = IsMismatch(policy, core.Attributes, access);
        // 0. A write-protected leaf is repaired without checking the bitmap: its page is in place.
        if (
            policy.RepairsWriteProtectedLeavesFirst
            && access.IsWrite
            && !isMismatch
            && TryRepair(core, slot, gfn, out var repaired)
        )
        {
            return repaired;
        }

        // Taken before any other state is read: if it moves, everything read since is void.
        var sequence = core.InvalidationSequence;
        // 1. The guest and user space disagree about whether the page is private.
        if (isMismatch)
            return FaultOutcome.Exit(access, MemoryFaultFlags.None);
        // 2, 3. No memory, or a slot that is being removed.
        if (slot.IsInvalid)
            return policy.RetriesOnInvalidSlot ? FaultOutcome.Of(FaultKind.Retry, gfn) : NoMemory(policy, access);
        var isWrite = IsWrite(core, access);
        if (policy.ChecksReadonlyBeforeUserfault && slot.IsReadonly && isWrite)
            return NoMemory(policy, access);
        // 4. An invalidation is in progress.
        if (policy.RetriesOnInvalidationFirst && core.IsInvalidating(gfn))
            return FaultOutcome.Of(FaultKind.Retry, gfn);
        // 5. The userfault check.
        switch (core.CheckUserfault(gfn))
        {
            case UserfaultState.Set:
                return FaultOutcome.Exit(access, MemoryFaultFlags.Userfault);
            case UserfaultState.Unreadable:
                return FaultOutcome.Of(FaultKind.BareEfault, gfn, Errno.EFAULT);
        }

        // 6, 7. The page, or why it is not available. A write to a READONLY slot does not reach the host.
        if (isWrite && slot.IsReadonly)
            return FaultOutcome.Of(FaultKind.Mmio, gfn);
        var status = GetPage(slot, host, gfn, access.IsPrivate, isWrite, out var page);
        if (status != HostPageStatus.Present)
            return NoPage(policy, slot, access, status);
        // 8. The size of the leaf.
        var level =
            policy.IsLogging(slot) || slot.IsUserfault
                ? PageLevel.Size4K
                : LevelOf(core, slot, gfn, page, access.IsPrivate);
        // 9. Nothing may have changed while the page was obtained.
        if (core.InvalidationSequence != sequence || core.IsInvalidating(gfn))
            return FaultOutcome.Of(FaultKind.Retry, gfn);
        // 10. Install or relax the leaf.
        return Install(core, slot, access, page, level, isWrite);
    }

    /// <summary>
    /// Requests the page of a gfn from where the slot has it: its guest_memfd, or its host address.
    /// </summary>
    internal static HostPageStatus GetPage(
        Memslot slot,
        IHostMemory host,
        Gfn gfn,
        bool isPrivate,
        bool write,
        out HostPage page
    )
    {
        if (!isPrivate)
            return host.GetPage(slot.HvaOf(gfn), write, out page);
        if (slot.GuestMemfd is not null)
            return slot.GuestMemfd.GetPage(slot.GuestMemfdPage + slot.IndexOf(gfn), out page);
        page = default;
        return HostPageStatus.Unavailable;
    }

    /// <summary>
    /// The largest leaf that fits the host page, lies within the slot, and is private or shared throughout.
    /// </summary>
    internal static PageLevel LevelOf(MemslotCore core, Memslot slot, Gfn gfn, in HostPage page, bool isPrivate)
    {
        var level = page.Level < PageLevel.Size1G ? page.Level : PageLevel.Size1G;
        for (; level > PageLevel.Size4K; level--)
        {
            var mask = level.Pages() - 1;
            var range = new GfnRange(gfn.AlignDown(level), level.Pages());
            var isAligned =
                ((gfn.Value ^ page.Pfn.Value) & mask) == 0
                && (isPrivate || ((gfn.Value ^ slot.HvaOf(gfn).Value >> Page.Shift) & mask) == 0);
            if (
                isAligned
                && range.Start >= slot.Range.Start
                && range.End <= slot.Range.End
                && core.Attributes.IsUniform(range)
            )
            {
                break;
            }
        }

        return level;
    }

    private static bool IsMismatch(MmuPolicy policy, MemoryAttributes attributes, in VcpuAccess access) =>
        policy.HasPrivateMemory && access.IsPrivate != attributes.IsPrivate(access.Gfn);

    private static bool IsWrite(MemslotCore core, in VcpuAccess access) =>
        access.IsTableWalk && core.Policy.TreatsWalksAsReads
            ? access.IsWrite && core.Table.Walk(access.Gfn).IsPresent
            : access.IsWrite;

    private static FaultOutcome NoMemory(MmuPolicy policy, in VcpuAccess access) =>
        FaultOutcome.Of(
            policy.InjectsAborts && (access.IsFetch || access.IsTableWalk) ? FaultKind.GuestAbort : FaultKind.Mmio,
            access.Gfn
        );

    private static bool TryRepair(MemslotCore core, Memslot slot, Gfn gfn, out FaultOutcome outcome)
    {
        outcome = default;
        var leaf = core.Table.Walk(gfn);
        if (!leaf.IsPresent)
            return false;
        var kind = FaultKind.Spurious;
        if (!leaf.Permits(Access.Write))
        {
            // A large leaf of a logging slot must be split, not repaired: dirty pages are tracked one by one.
            if (!leaf.IsWriteProtected || (leaf.Level > PageLevel.Size4K && core.Policy.IsLogging(slot)))
                return false;
            if (!core.Table.MakeWritable(gfn))
                return false;
            core.MarkDirty(gfn);
            kind = FaultKind.Mapped;
        }

        outcome = FaultOutcome.Of(kind, gfn) with { Level = leaf.Level, Pfn = leaf.Pfn };
        return true;
    }

    private static FaultOutcome NoPage(MmuPolicy policy, Memslot slot, in VcpuAccess access, HostPageStatus status)
    {
        var gfn = access.Gfn;
        // A page missing from a guest_memfd has no host address for a signal, and there is no wait to interrupt.
        if (access.IsPrivate)
        {
            var errno = status == HostPageStatus.Poisoned ? Errno.EHWPOISON : Errno.EFAULT;
            return FaultOutcome.Exit(access, MemoryFaultFlags.None, errno);
        }

        var hva = slot.HvaOf(gfn);
        switch (status)
        {
            case HostPageStatus.Blocked:
                return FaultOutcome.Of(FaultKind.BlockedInUserfaultfd, gfn) with { Hva = hva };
            case HostPageStatus.Poisoned:
                return FaultOutcome.Of(FaultKind.Poisoned, gfn) with { Hva = hva };
            case HostPageStatus.SignalPending when policy.InterruptsHostFaults:
                return FaultOutcome.Of(FaultKind.SignalPending, gfn, Errno.EINTR);
            default:
                return policy.ExitsOnErrorPage
                    ? FaultOutcome.Exit(access, MemoryFaultFlags.None)
                    : FaultOutcome.Of(FaultKind.BareEfault, gfn, Errno.EFAULT);
        }
    }

    private static FaultOutcome Install(
        MemslotCore core,
        Memslot slot,
        in VcpuAccess access,
        in HostPage page,
        PageLevel level,
        bool isWrite
    )
    {
        var policy = core.Policy;
        var gfn = access.Gfn;
        var leaf = core.Table.Walk(gfn);
        if (leaf.Permits(access.Kind))
            return FaultOutcome.Of(FaultKind.Spurious, gfn) with { Level = leaf.Level, Pfn = leaf.Pfn };

        var isWritable =
            page.IsWritable && !slot.IsReadonly && (isWrite || policy.MapsWritableOnRead || !policy.IsLogging(slot));
        var permitted =
            Access.Read
            | (isWritable ? Access.Write : Access.None)
            | (policy.MapsExecutable || access.IsFetch ? Access.Execute : Access.None);
        var offset = gfn.Value & (level.Pages() - 1);
        var change = core.Table.Map(gfn.AlignDown(level), new Pfn(page.Pfn.Value - offset), permitted, level);
        if (change.Change == TableChange.Broken)
        {
            core.Break(change.Flush);
            return FaultOutcome.Of(FaultKind.FlushFirst, gfn) with { Flush = change.Flush };
        }

        // Later writes through a writable leaf leave no trace, even if a read installed it: the page counts as dirty
        // now.
        if (isWritable)
            core.MarkDirty(gfn);
        return FaultOutcome.Of(FaultKind.Mapped, gfn) with { Level = level, Pfn = page.Pfn, Flush = change.Flush };
    }
}
