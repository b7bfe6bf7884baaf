namespace Userfault.Mmu;

/// <summary>The calls that set up memory: regions and attributes.</summary>
public sealed partial class Vm
{
    /// <summary>KVM_SET_USER_MEMORY_REGION, the older call: LOG_DIRTY_PAGES and READONLY are its only flags.</summary>
    /// <returns>As <see cref="SetUserMemoryRegion2(in UserspaceMemoryRegion2)"/>, and EINVAL for other flags.</returns>
    public Errno SetUserMemoryRegion(in UserspaceMemoryRegion2 region) =>
        RegionChecks.AreVersion1Flags(region.MemslotFlags) ? SetUserMemoryRegion2(region) : Errno.EINVAL;

    /// <summary>KVM_SET_USER_MEMORY_REGION with the caller's bytes; EFAULT if there are fewer than 32.</summary>
    public Errno SetUserMemoryRegion(ReadOnlySpan<byte> bytes) =>
        UserspaceMemoryRegion2.TryReadVersion1(bytes, out var region) ? SetUserMemoryRegion(region) : Errno.EFAULT;

    /// <summary>KVM_SET_USER_MEMORY_REGION2 with the caller's bytes; EFAULT if there are fewer than 160.</summary>
    public Errno SetUserMemoryRegion2(ReadOnlySpan<byte> bytes) =>
        UserspaceMemoryRegion2.TryRead(bytes, out var region) ? SetUserMemoryRegion2(region) : Errno.EFAULT;

    /// <summary>KVM_SET_USER_MEMORY_REGION2: creates, deletes or moves a slot, or changes its flags.</summary>
    /// <returns>
    /// EINVAL, EEXIST (overlap), EBADF (guest_memfd), EFAULT (beyond arm64's IPA size); if it fails, no slot changes.
    /// </returns>
    public Errno SetUserMemoryRegion2(in UserspaceMemoryRegion2 region)
    {
        var plan = RegionChecks.Plan(region, Policy, _addressSpaces);
        if (plan.Errno != Errno.None)
            return plan.Errno;
        switch (plan.Change)
        {
            case MemslotChange.Create:
                return Create(plan.New!, region.GuestMemfd);
            case MemslotChange.Delete:
                Delete(plan.Old!);
                return Errno.None;
            case MemslotChange.Move:
                return Move(plan.New!);
            case MemslotChange.FlagsOnly:
                ChangeFlags(plan.Old!, plan.New!);
                return Errno.None;
            default:
                return Errno.None;
        }
    }

    /// <summary>KVM_SET_MEMORY_ATTRIBUTES: makes pages private or shared. Their mappings are removed.</summary>
    /// <param name="address">Guest physical address in bytes, page aligned.</param>
    /// <param name="sizeBytes">Size in bytes, page aligned, not 0.</param>
    /// <param name="attributes">0, or <see cref="MemoryAttributes.PrivateBit"/>.</param>
    /// <param name="flags">Must be 0.</param>
    /// <returns>EINVAL for all other arguments, and for private pages if the VM has none.</returns>
    public Errno SetMemoryAttributes(ulong address, ulong sizeBytes, ulong attributes, ulong flags = 0)
    {
        var supported = Policy.HasPrivateMemory ? MemoryAttributes.PrivateBit : 0UL;
        if (
            flags != 0
            || (attributes & ~supported) != 0
            || sizeBytes == 0
            || address + sizeBytes < address
            || ((address | sizeBytes) & Page.OffsetMask) != 0
        )
        {
            return Errno.EINVAL;
        }

        var range = new GfnRange(new Gpa(address).ToGfn(), sizeBytes >> Page.Shift);
        var isPrivate = attributes != 0;
        if (_attributes.IsUniform(range) && _attributes.IsPrivate(range.Start) == isPrivate)
            return Errno.None;
        _attributes = _attributes.With(range, isPrivate);
        foreach (var set in _addressSpaces)
        {
            foreach (var slot in set.Current.Slots)
            {
                var core = CoreOf(slot);
                core.BeginInvalidation(range);
                core.Attributes = _attributes;
                Finish(core);
                core.EndInvalidation();
            }
        }

        return Errno.None;
    }

    private Errno Create(Memslot slot, uint descriptor)
    {
        IGuestMemfd? file = null;
        if (slot.HasGuestMemfd)
        {
            var errno = _files is null ? Errno.EBADF : _files.Find(descriptor, out file);
            if (errno == Errno.None)
                errno = file!.Bind(slot.Id, slot.GuestMemfdPage, slot.Range.Count);
            if (errno != Errno.None)
                return errno;
        }

        var width = RegionChecks.CheckWidth(slot.Range, Policy);
        if (width != Errno.None)
        {
            file?.Unbind(slot.Id);
            return width;
        }

        slot = slot with { GuestMemfd = file };
        var cores = _cores[slot.Id.AddressSpace];
        while (cores.Count <= slot.Id.Id)
            cores.Add(null);
        cores[slot.Id.Id] = new MemslotCore(slot, Policy, _host) { Attributes = _attributes };
        _addressSpaces[slot.Id.AddressSpace].Install(slot);
        return Errno.None;
    }

    private void Delete(Memslot slot)
    {
        var core = CoreOf(slot);
        Invalidate(core);
        _addressSpaces[slot.Id.AddressSpace].Remove(slot.Id.Id);
        _cores[slot.Id.AddressSpace][slot.Id.Id] = null;
        slot.GuestMemfd?.Unbind(slot.Id);
        core.Dispose();
    }

    private Errno Move(Memslot slot)
    {
        var core = CoreOf(slot);
        var width = RegionChecks.CheckWidth(slot.Range, Policy);
        if (width != Errno.None)
        {
            // The kernel invalidates the old slot, which zaps it, before it checks the width; it then reverts the
            // invalidation.
            core.BeginZap();
            Finish(core);
            ZapOthers(core);
            return width;
        }

        Invalidate(core);
        core.Activate(slot);
        _addressSpaces[slot.Id.AddressSpace].Install(slot);
        return Errno.None;
    }

    private void ChangeFlags(Memslot old, Memslot slot)
    {
        _addressSpaces[slot.Id.AddressSpace].Install(slot);
        var core = CoreOf(slot);
        core.ChangeFlags(slot);
        Finish(core);
        if (slot.IsUserfault && !old.IsUserfault)
            ZapOthers(core);
    }

    private void Invalidate(MemslotCore core)
    {
        _addressSpaces[core.Slot.Id.AddressSpace].Invalidate(core.Slot.Id.Id);
        core.Invalidate();
        Finish(core);
        ZapOthers(core);
    }

    /// <summary>The quirk: if one slot is zapped, all slots of the VM are, in every address space.</summary>
    private void ZapOthers(MemslotCore zapped)
    {
        if (!Policy.ZapsAllSlots)
            return;
        foreach (var set in _addressSpaces)
        {
            foreach (var slot in set.Current.Slots)
            {
                var core = CoreOf(slot);
                if (ReferenceEquals(core, zapped))
                    continue;
                core.BeginZap();
                Finish(core);
            }
        }
    }

    private MemslotCore CoreOf(Memslot slot) => _cores[slot.Id.AddressSpace][slot.Id.Id]!;
}
