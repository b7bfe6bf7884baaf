namespace Userfault.Mmu;

/// <summary>The calls of a running VM: accesses, dirty logs, pre-faults.</summary>
public sealed partial class Vm
{
    // A break, its flush and the make; then the access. More rounds mean that fault path and walk disagree.
    private const int MostFaultsAnAccess = 4;

    private int _lastUsedSlot;

    /// <summary>
    /// Makes one access as a vCPU: the hardware's walk and then, if that does not permit it, the fault path.
    /// </summary>
    /// <param name="access">The access.</param>
    /// <param name="addressSpace">The address space of the vCPU (1: system management mode).</param>
    /// <returns>
    /// Completed, or how it left the guest. A retry that only another call can resolve (a slot or page being
    /// invalidated) is returned to the caller.
    /// </returns>
    public AccessResult Access(in VcpuAccess access, int addressSpace = 0)
    {
        var slot = _addressSpaces[addressSpace].Current.Find(access.Gfn, ref _lastUsedSlot);
        if (slot is null)
            return new AccessResult(false, default, FaultPath.RunWithoutSlot(Policy, _attributes, access), 1);
        var core = CoreOf(slot);
        // Private and shared memory are distinguished before the walk: a mapping is one or the other.
        var canHit = !Policy.HasPrivateMemory || access.IsPrivate == _attributes.IsPrivate(access.Gfn);
        var fault = default(FaultOutcome);
        for (var faults = 0; faults <= MostFaultsAnAccess; faults++)
        {
            if (canHit && core.Table.TryAccess(access.Gfn, access.Kind, out var leaf))
            {
                if (access.IsWrite && Policy.UsesHardwareDirtyLog)
                    core.LogWrite(access.Gfn, leaf.Level);
                return new AccessResult(true, leaf, fault, faults);
            }

            fault = core.Fault(access);
            core.CompleteFlush();
            if (fault.Kind is not (FaultKind.Mapped or FaultKind.Spurious or FaultKind.FlushFirst))
                return new AccessResult(false, default, fault, faults + 1);
        }

        throw new InvalidOperationException($"{access} on {slot} is {fault.Kind}, and still not permitted");
    }

    /// <summary>KVM_GET_DIRTY_LOG.</summary>
    /// <param name="slot">Address space and slot id.</param>
    /// <param name="words">Receives one bit per page, in 64-bit words.</param>
    /// <returns>EINVAL for an impossible id, ENOENT for a slot that does not exist or does not log, EFAULT.</returns>
    public Errno GetDirtyLog(SlotId slot, Span<ulong> words)
    {
        if (!IsPossible(slot))
            return Errno.EINVAL;
        var core = FindSlot(slot);
        return core is null ? Errno.ENOENT : core.GetDirtyLog(words, out _);
    }

    /// <summary>KVM_CLEAR_DIRTY_LOG.</summary>
    /// <param name="slot">Address space and slot id.</param>
    /// <param name="firstPage">First page of the mask, a multiple of 64.</param>
    /// <param name="pages">Number of pages; a multiple of 64 unless it ends with the slot.</param>
    /// <param name="mask">One bit per page: the bits to clear.</param>
    /// <returns>EINVAL, ENOENT for a slot that does not exist or does not log, EFAULT.</returns>
    public Errno ClearDirtyLog(SlotId slot, ulong firstPage, uint pages, ReadOnlySpan<ulong> mask)
    {
        if (!IsPossible(slot) || firstPage % 64 != 0)
            return Errno.EINVAL;
        var core = FindSlot(slot);
        if (core is null)
            return Errno.ENOENT;
        var errno = core.ClearDirtyLog(firstPage, pages, mask, out _);
        Finish(core);
        return errno;
    }

    /// <summary>KVM_PRE_FAULT_MEMORY: maps pages as if they had been read, before the guest runs.</summary>
    /// <param name="gpa">First byte, page aligned.</param>
    /// <param name="sizeBytes">Size in bytes, page aligned, not 0.</param>
    /// <param name="flags">Must be 0.</param>
    /// <returns>
    /// EINVAL, ENOENT (no slot), EFAULT (also for a page whose userfault bit is set), EHWPOISON, EINTR, EAGAIN.
    /// </returns>
    public PreFaultResult PreFault(Gpa gpa, ulong sizeBytes, ulong flags = 0)
    {
        if (
            !Policy.PrefaultsMemory
            || flags != 0
            || !gpa.IsPageAligned
            || (sizeBytes & Page.OffsetMask) != 0
            || gpa.Value + sizeBytes <= gpa.Value
        )
        {
            return new PreFaultResult(Errno.EINVAL, gpa, sizeBytes);
        }

        var at = gpa;
        for (var left = sizeBytes; left > 0; )
        {
            var outcome = PreFaultPage(at.ToGfn());
            if (outcome.Kind is not (FaultKind.Mapped or FaultKind.Spurious))
            {
                var errno = left < sizeBytes ? Errno.None : PreFaultErrno(outcome);
                Hva? blockedOn = outcome.Kind == FaultKind.BlockedInUserfaultfd ? outcome.Hva : null;
                return new PreFaultResult(errno, at, left, blockedOn);
            }

            // The leaf may be large: it counts up to the end of the range.
            var done = Math.Min(left, outcome.Level.Bytes() - (at.Value & (outcome.Level.Bytes() - 1)));
            at = new Gpa(at.Value + done);
            left -= done;
        }

        return new PreFaultResult(Errno.None, at, 0);
    }

    private FaultOutcome PreFaultPage(Gfn gfn)
    {
        var access = new VcpuAccess(gfn, Mmu.Access.Read, _attributes.IsPrivate(gfn));
        var slot = _addressSpaces[0].Current.Find(gfn, ref _lastUsedSlot);
        if (slot is null)
            return FaultPath.RunWithoutSlot(Policy, _attributes, access);
        var outcome = CoreOf(slot).Fault(access);
        CoreOf(slot).CompleteFlush();
        return outcome;
    }

    private static Errno PreFaultErrno(in FaultOutcome outcome) =>
        outcome.Kind switch
        {
            FaultKind.Mmio => Errno.ENOENT,
            FaultKind.Poisoned => Errno.EHWPOISON,
            FaultKind.Retry or FaultKind.BlockedInUserfaultfd => Errno.EAGAIN,
            _ => outcome.Errno,
        };

    private bool IsPossible(SlotId slot) => slot.AddressSpace < _addressSpaces.Length && slot.Id < Policy.UserSlots;
}
