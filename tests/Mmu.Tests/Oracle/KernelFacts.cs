namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// What this kernel and machine are like: probed by what calls do (<see cref="FactProbe"/>), never taken from a version
/// or from a capability's number, which unmerged series share with later ones.
/// </summary>
public sealed record KernelFacts
{
    /// <summary>Of no kernel.</summary>
    public static KernelFacts None { get; } = new();

    /// <summary>Of a kernel like many, for a model that has no kernel beside it.</summary>
    public static KernelFacts Typical { get; } =
        new()
        {
            PhysicalAddressBits = 48,
            UserSpaceEnd = 0x7fff_ffff_f000,
            AddressSpaces = 1,
            UserSlots = 32764,
            HasRegion2 = true,
            GivesMemfd = true,
            HasMemfd = true,
            HasZapQuirk = true,
            ZapsAllSlots = true,
            HasHugePages = true,
            Recovery = HugePageRecovery.InPlace,
            SplitsEagerly = true,
            SplitsOnDemand = true,
        };

    /// <summary>Widest guest-physical address that a slot may have, in bits.</summary>
    public int PhysicalAddressBits { get; init; }

    /// <summary>One past the last host address that a slot's memory may have.</summary>
    public ulong UserSpaceEnd { get; init; }

    /// <summary>How many there are.</summary>
    public int AddressSpaces { get; init; }

    /// <summary>Slot ids in each.</summary>
    public int UserSlots { get; init; }

    /// <summary>KVM_SET_USER_MEMORY_REGION2; without it all regions are set by the older call.</summary>
    public bool HasRegion2 { get; init; }

    /// <summary>Does a set bit of a slot with the USERFAULT flag end a run in an exit that says so?</summary>
    public bool HasUserfault { get; init; }

    /// <summary>Does this kind of VM accept a slot with GUEST_MEMFD?</summary>
    public bool HasMemfd { get; init; }

    /// <summary>Does this kind of VM give out descriptors of guest_memfds? That alone says nothing.</summary>
    public bool GivesMemfd { get; init; }

    /// <summary>KVM_PRE_FAULT_MEMORY that returns by itself, after the delete of a slot too.</summary>
    public bool HasPreFault { get; init; }

    /// <summary>KVM_SET_MEMORY_ATTRIBUTES.</summary>
    public bool HasAttributes { get; init; }

    /// <summary>Can the quirk SLOT_ZAP_ALL be turned off?</summary>
    public bool HasZapQuirk { get; init; }

    /// <summary>Does the delete of a slot zap the others, before any quirk is turned off?</summary>
    public bool ZapsAllSlots { get; init; }

    /// <summary>Does the host back memory by 2 MiB pages where asked?</summary>
    public bool HasHugePages { get; init; }

    /// <summary>What becomes of small leaves when logging is turned off.</summary>
    public HugePageRecovery Recovery { get; init; }

    /// <summary>
    /// Is a huge leaf protected when the log of one of its pages is cleared, although INITIALLY_SET was turned off?
    /// </summary>
    public bool ProtectsHugeLeavesOnClear { get; init; }

    /// <summary>
    /// Are huge leaves split when logging is turned on? A module parameter: no call shows it.
    /// </summary>
    public bool SplitsEagerly { get; init; }

    /// <summary>Does a 4 KiB fault under a huge leaf keep the rest of it (TDP MMU)?</summary>
    public bool SplitsOnDemand { get; init; }

    /// <summary>
    /// Does the processor log writes (page-modification logging)? A module parameter: no call shows it.
    /// </summary>
    public bool UsesHardwareDirtyLog { get; init; }

    /// <summary>Does EFAULT for a host page that cannot be had come with a prepared exit?</summary>
    public bool ExitsOnErrorPage { get; init; }

    /// <summary>What a comparison with this kernel cannot cover, a line each.</summary>
    public IEnumerable<string> LeftOut()
    {
        if (!HasRegion2)
            yield return "KVM_SET_USER_MEMORY_REGION2 (this kernel answers ENOTTY: the older call is compared)";
        if (!HasUserfault)
        {
            yield return "the USERFAULT flag (this kernel has no exit for a set bit)";
            foreach (var feature in UserfaultFeatures.Names)
                yield return $"the USERFAULT flag: {feature}";
        }

        if (!HasMemfd)
        {
            yield return GivesMemfd
                ? "GUEST_MEMFD slots (this kind of VM gives a descriptor and refuses the slot)"
                : "GUEST_MEMFD slots (this kind of VM has none)";
        }
        else if (!HasUserfault)
        {
            yield return "changes of a GUEST_MEMFD slot (a kernel without USERFAULT refuses all of them)";
        }

        if (!HasPreFault)
            yield return "KVM_PRE_FAULT_MEMORY (this kernel has none, or does not return from it after a delete)";
        if (HasAttributes)
            yield return "KVM_SET_MEMORY_ATTRIBUTES and private memory (no program has private memory)";
        else
            yield return "KVM_SET_MEMORY_ATTRIBUTES and private memory (this kernel has no private memory)";
        if (!HasHugePages)
            yield return "huge mappings (the host gives no 2 MiB pages)";
        else if (!SplitsOnDemand)
            yield return "dirty logging over huge leaves (this kernel's shadow MMU drops them, and splits none)";
        if (AddressSpaces == 1)
            yield return "a second address space (this kernel has one)";
    }

    /// <summary>Asks a fresh VM, and leaves no slots in it. Its quirks are off afterwards.</summary>
    public static KernelFacts Probe(KernelKvm vm, bool hasHugePages) => new FactProbe(vm).Run(hasHugePages);
}
