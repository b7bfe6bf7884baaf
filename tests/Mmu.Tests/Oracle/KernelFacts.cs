using Userfault.Linux;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>What this kernel and machine are like: probed, never assumed.</summary>
/// <param name="PhysicalAddressBits">Widest guest-physical address that a slot may have, in bits.</param>
/// <param name="UserSpaceEnd">One past the last host address that a slot's memory may have.</param>
/// <param name="AddressSpaces">How many there are.</param>
/// <param name="UserSlots">Slot ids in each.</param>
/// <param name="HasUserfault">Is the USERFAULT flag understood?</param>
/// <param name="HasMemfd">Can this kind of VM have a guest_memfd?</param>
/// <param name="HasPreFault">KVM_PRE_FAULT_MEMORY.</param>
/// <param name="HasAttributes">KVM_SET_MEMORY_ATTRIBUTES.</param>
/// <param name="HasHugePages">Does the host back memory by 2 MiB pages where asked?</param>
/// <param name="SplitsEagerly">Are huge leaves split when logging is turned on?</param>
/// <param name="SplitsOnDemand">Does a 4 KiB fault under a huge leaf keep the rest of it (TDP MMU)?</param>
/// <param name="UsesHardwareDirtyLog">Does the processor log writes (page-modification logging)?</param>
/// <param name="ExitsOnErrorPage">Does EFAULT for a host page that cannot be had come with a prepared exit?</param>
public sealed record KernelFacts(
    int PhysicalAddressBits,
    ulong UserSpaceEnd,
    int AddressSpaces,
    int UserSlots,
    bool HasUserfault,
    bool HasMemfd,
    bool HasPreFault,
    bool HasAttributes,
    bool HasHugePages,
    bool SplitsEagerly,
    bool SplitsOnDemand,
    bool UsesHardwareDirtyLog,
    bool ExitsOnErrorPage
)
{
    /// <summary>Of no kernel.</summary>
    public static KernelFacts None { get; } =
        new(0, 0, 0, 0, false, false, false, false, false, false, false, false, false);

    /// <summary>Of a kernel like many, for a model that has no kernel beside it.</summary>
    public static KernelFacts Typical { get; } =
        new(48, 0x7fff_ffff_f000, 1, 32764, false, true, false, false, true, true, true, false, false);

    /// <summary>Asks a fresh VM, and leaves no slots in it.</summary>
    public static KernelFacts Probe(KernelKvm vm, bool hasHugePages)
    {
        var probe = new KvmCall.SetRegion(
            true,
            0,
            0,
            0,
            Page.Size,
            new HostAddress(HostArea.Writable, 0),
            MemfdKind.Own,
            0,
            default
        );
        var gpaBits = HighestBit(vm, 36, 58, bit => probe with { Gpa = (1UL << bit) - Page.Size });
        var hvaBits = HighestBit(
            vm,
            40,
            57,
            bit => probe with { Hva = new HostAddress(HostArea.Absolute, (1UL << bit) - (2 * Page.Size)) }
        );
        var lastPage = probe with { Hva = new HostAddress(HostArea.Absolute, (1UL << hvaBits) - Page.Size) };
        return new KernelFacts(
            gpaBits,
            (1UL << hvaBits) - (Accepts(vm, lastPage) ? 0UL : Page.Size),
            Math.Max(1, (int)Extension(vm, KvmCapability.AddressSpaces)),
            (int)Extension(vm, KvmCapability.Memslots),
            Accepts(vm, probe with { Flags = RegionFlags.Userfault, Bitmap = new HostAddress(HostArea.Writable, 0) }),
            vm.HasMemfd,
            Extension(vm, KvmCapability.PreFaultMemory) != 0,
            Extension(vm, KvmCapability.MemoryAttributes) != 0,
            hasHugePages,
            IsOn("kvm", "tdp_mmu") && IsOn("kvm", "eager_page_split"),
            IsOn("kvm", "tdp_mmu"),
            IsOn("kvm_intel", "pml"),
            ExitsInHole(vm, probe)
        );
    }

    /// <summary>What a comparison with this kernel cannot cover, a line each.</summary>
    public IEnumerable<string> LeftOut()
    {
        if (!HasUserfault)
            yield return "the USERFAULT flag (this kernel answers EINVAL)";
        if (!HasMemfd)
            yield return "GUEST_MEMFD slots (this kind of VM has none)";
        else if (!HasUserfault)
            yield return "changes of a GUEST_MEMFD slot (a kernel without USERFAULT refuses all of them)";
        if (!HasPreFault)
            yield return "KVM_PRE_FAULT_MEMORY (this kernel answers EOPNOTSUPP)";
        if (!HasAttributes)
            yield return "KVM_SET_MEMORY_ATTRIBUTES and private memory (this kernel has no private memory)";
        if (!HasHugePages)
            yield return "huge mappings (the host gives no 2 MiB pages)";
        else if (!SplitsOnDemand)
            yield return "dirty logging over huge leaves (this kernel's shadow MMU drops them, and splits none)";
        if (AddressSpaces == 1)
            yield return "a second address space (this kernel has one)";
    }

    private static bool ExitsInHole(KernelKvm vm, KvmCall.SetRegion region)
    {
        vm.Do(region with { Hva = new HostAddress(HostArea.Hole, 0) });
        var answer = vm.Do(new KvmCall.Run(Access.Read, region.Gpa, 8, 0));
        vm.Do(region with { Size = 0 });
        return answer.Exit == AnswerExit.MemoryFault;
    }

    private static bool IsOn(string module, string parameter)
    {
        var path = $"/sys/module/{module}/parameters/{parameter}";
        return File.Exists(path) && File.ReadAllText(path).StartsWith('Y');
    }

    private static ulong Extension(KernelKvm vm, KvmCapability cap) =>
        vm.Do(new KvmCall.CheckExtension((uint)cap)).Value;

    private static int HighestBit(KernelKvm vm, int lowest, int highest, Func<int, KvmCall.SetRegion> region)
    {
        var bit = highest;
        while (bit > lowest && !Accepts(vm, region(bit)))
            bit--;
        return bit;
    }

    private static bool Accepts(KernelKvm vm, KvmCall.SetRegion region)
    {
        if (vm.Do(region).Errno != 0)
            return false;
        vm.Do(region with { Size = 0, Flags = 0 });
        return true;
    }
}
