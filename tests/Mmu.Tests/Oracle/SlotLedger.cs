namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// What the reference's slots are, by its own answers, and which calls are therefore outside of the comparison.
/// </summary>
public sealed class SlotLedger(KernelFacts facts)
{
    private readonly Dictionary<uint, KvmCall.SetRegion> _slots = [];

    public static string Userfault => "the USERFAULT flag";

    public static string MemfdChange => "a change of a GUEST_MEMFD slot";

    public static string Memfd => "a GUEST_MEMFD slot";

    /// <summary>
    /// Without the TDP MMU a write under a huge leaf drops the rest of the leaf, and does not split it.
    /// </summary>
    public static string LoggingOverHugeLeaves => "logging turned on over huge leaves";

    /// <summary>
    /// x86 answers such a fetch with an exception in the guest, which is the CPU's model, not the MMU's.
    /// </summary>
    public static string FetchOutsideMemory => "an instruction fetch where no memory is";

    public static string ForeignMemory => "an access to host memory that is not the test's own";

    /// <summary>The call as the kernel understands it: without REGION2 the older call takes its place.</summary>
    public KvmCall AsUnderstood(KvmCall call) =>
        call is KvmCall.SetRegion { Second: true } region && !facts.HasRegion2 ? region with { Second = false } : call;

    /// <summary>What a call tries of the USERFAULT flag, by name.</summary>
    public IEnumerable<string> Features(KvmCall call) =>
        call is KvmCall.SetRegion region ? UserfaultFeatures.Of(_slots.GetValueOrDefault(region.Slot), region) : [];

    public static string PreFault => "KVM_PRE_FAULT_MEMORY";

    /// <summary>Why a call is not compared, or null where it is.</summary>
    public string? WhyLeftOut(KvmCall call) =>
        call switch
        {
            KvmCall.SetRegion region => WhyLeftOut(region),
            KvmCall.PreFault when !facts.HasPreFault => PreFault,
            KvmCall.PreFault fault when _slots.Values.Any(slot => Overlap(slot, fault) && IsForeign(slot)) =>
                ForeignMemory,
            KvmCall.ChangeBits when !facts.HasUserfault => Userfault,
            KvmCall.Run run when SlotOf(run.Gpa) is { } slot && IsForeign(slot) => ForeignMemory,
            KvmCall.Run { Access: Access.Execute } run when SlotOf(run.Gpa) is null => FetchOutsideMemory,
            _ => null,
        };

    /// <summary>Takes down what a call has changed.</summary>
    public void Note(KvmCall call, KvmAnswer answer)
    {
        if (call is not KvmCall.SetRegion region || answer.Errno != 0)
            return;
        if (region.Size == 0)
            _slots.Remove(region.Slot);
        // With the same flags nothing changes, not even the bitmap.
        else if (!_slots.TryGetValue(region.Slot, out var old) || old.Flags != region.Flags || old.Gpa != region.Gpa)
            _slots[region.Slot] = region;
    }

    private string? WhyLeftOut(KvmCall.SetRegion region)
    {
        if (region.Hva.Area == HostArea.Huge && !facts.SplitsOnDemand && TurnsLoggingOn(region))
            return LoggingOverHugeLeaves;
        if (!region.Second)
            return null;
        if ((region.Flags & RegionFlags.Userfault) != 0 && !facts.HasUserfault)
            return Userfault;
        if ((region.Flags & RegionFlags.GuestMemfd) != 0 && !facts.HasMemfd)
            return Memfd;
        var isChange =
            region.Size != 0
            && _slots.TryGetValue(region.Slot, out var old)
            && ((old.Flags | region.Flags) & RegionFlags.GuestMemfd) != 0;
        return isChange && !facts.HasUserfault ? MemfdChange : null;
    }

    private static bool IsForeign(KvmCall.SetRegion slot) => !HostLayout.Holds(slot.Hva, slot.Size);

    private static bool Overlap(KvmCall.SetRegion slot, KvmCall.PreFault fault) =>
        new SlotId(slot.Slot).AddressSpace == 0
        && (UInt128)slot.Gpa < (UInt128)fault.Gpa + fault.Size
        && fault.Gpa < (UInt128)slot.Gpa + slot.Size;

    private bool TurnsLoggingOn(KvmCall.SetRegion region) =>
        _slots.TryGetValue(region.Slot, out var old) && (region.Flags & ~old.Flags & RegionFlags.LogDirtyPages) != 0;

    /// <summary>The slot behind an address in address space 0, where the guest runs.</summary>
    private KvmCall.SetRegion? SlotOf(ulong gpa) =>
        _slots.Values.FirstOrDefault(slot => new SlotId(slot.Slot).AddressSpace == 0 && gpa - slot.Gpa < slot.Size);
}
