using Userfault.Linux;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// Finds out what a kernel does by having it do it. Each probe makes slots, runs the guest, looks at answers and dirty
/// logs, and deletes its slots.
/// </summary>
internal sealed class FactProbe(KernelKvm vm)
{
    private const uint Manual = (uint)KvmCapability.ManualDirtyLogProtect;
    private const ulong InitiallySet = 3;
    private const ulong HugeBytes = 2 << 20;
    private bool _hasRegion2;

    // A page of ordinary memory at 0.
    private static KvmCall.SetRegion Small => Region(0, 0, Page.Size, new HostAddress(HostArea.Writable, 0), 0);

    // 2 MiB that can be mapped by one leaf.
    private static KvmCall.SetRegion Huge =>
        Region(1, GuestImage.SmallPagesEnd, HugeBytes, new HostAddress(HostArea.Huge, 0), 0);

    public KernelFacts Run(bool hasHugePages)
    {
        _hasRegion2 = Accepts(Small with { Second = true });
        var gpaBits = HighestBit(36, 58, bit => Small with { Gpa = (1UL << bit) - Page.Size });
        var hvaBits = HighestBit(40, 57, bit => Small with { Hva = Absolute((1UL << bit) - (2 * Page.Size)) });
        var endsWithPage = Accepts(Small with { Hva = Absolute((1UL << hvaBits) - Page.Size) });
        var splitsOnDemand = hasHugePages ? SplitsOnDemand() : IsOn("kvm", "tdp_mmu");
        return new KernelFacts
        {
            PhysicalAddressBits = gpaBits,
            UserSpaceEnd = (1UL << hvaBits) - (endsWithPage ? 0UL : Page.Size),
            AddressSpaces = Math.Max(1, (int)Extension(KvmCapability.AddressSpaces)),
            UserSlots = (int)Extension(KvmCapability.Memslots),
            HasRegion2 = _hasRegion2,
            HasUserfault = ExitsOnSetBit(),
            HasMemfd = _hasRegion2 && Accepts(Small with { Second = true, Flags = RegionFlags.GuestMemfd }),
            GivesMemfd = vm.HasMemfd,
            HasAttributes = Extension(KvmCapability.MemoryAttributes) != 0,
            HasHugePages = hasHugePages,
            Recovery = hasHugePages ? Recovery() : HugePageRecovery.None,
            ProtectsHugeLeavesOnClear = hasHugePages && ProtectsHugeLeavesOnClear(),
            SplitsEagerly = splitsOnDemand && IsOn("kvm", "eager_page_split"),
            SplitsOnDemand = splitsOnDemand,
            UsesHardwareDirtyLog = IsOn("kvm_intel", "pml"),
            ExitsOnErrorPage = ExitsInHole(),
            ZapsAllSlots = ZapsAllSlots(),
            // The last: what they do cannot be undone.
            HasPreFault = Extension(KvmCapability.PreFaultMemory) != 0 && PreFaultComesBack(),
            HasZapQuirk =
                vm.Do(new KvmCall.EnableCap((uint)KvmCapability.DisableQuirks2, 0, KvmUapi.QuirkSlotZapAll)).Errno == 0,
        };
    }

    private bool ExitsOnSetBit()
    {
        if (!_hasRegion2)
            return false;
        var region = Small with { Second = true, Flags = RegionFlags.Userfault };
        Do(new KvmCall.ChangeBits(0, 1, Set: true));
        var exits =
            Do(region).Errno == 0
            && Read(region.Gpa) is { Exit: AnswerExit.MemoryFault, ExitDetail: (ulong)MemoryFaultFlags.Userfault };
        Do(new KvmCall.ChangeBits(0, 1, Set: false));
        Delete(region);
        return exits;
    }

    private bool ExitsInHole()
    {
        var region = Small with { Hva = new HostAddress(HostArea.Hole, 0) };
        Do(region);
        var answer = Read(region.Gpa);
        Delete(region);
        return answer.Exit == AnswerExit.MemoryFault;
    }

    /// <summary>
    /// After the delete of a slot some kernels (6.12) do not return from the call until the vCPU has run or a signal
    /// comes.
    /// </summary>
    private bool PreFaultComesBack()
    {
        var other = Small with { Slot = 1, Gpa = 16 * Page.Size };
        Do(Small);
        Do(other);
        Read(Small.Gpa);
        Delete(other);
        var answer = Do(new KvmCall.PreFault(Small.Gpa, Page.Size, 0));
        Delete(Small);
        return answer.Errno == 0;
    }

    /// <summary>What a read finds mapped leaves no trace in a log; what it has to map counts as written.</summary>
    private bool ZapsAllSlots()
    {
        var logging = Small with { Flags = RegionFlags.LogDirtyPages };
        var other = Small with { Slot = 1, Gpa = 16 * Page.Size };
        Do(logging);
        Do(other);
        Read(logging.Gpa);
        ReadLog(logging);
        Delete(other);
        Read(logging.Gpa);
        var log = ReadLog(logging);
        Delete(logging);
        return (log & 1) != 0;
    }

    /// <summary>
    /// Page 0 is mapped small while the slot logs. What do reads find of it and of page 1 afterwards?
    /// </summary>
    private HugePageRecovery Recovery()
    {
        var logging = Huge with { Flags = RegionFlags.LogDirtyPages };
        Do(logging);
        Write(logging.Gpa);
        Do(Huge);
        Do(logging);
        Read(logging.Gpa);
        Read(logging.Gpa + Page.Size);
        var log = ReadLog(logging);
        Delete(logging);
        return (log & 3) switch
        {
            0 => HugePageRecovery.InPlace,
            3 => HugePageRecovery.Drop,
            _ => HugePageRecovery.None,
        };
    }

    /// <summary>A write to page 0 below a huge leaf of a slot that logs. Does a read find page 1 mapped?</summary>
    private bool SplitsOnDemand()
    {
        var logging = Huge with { Flags = RegionFlags.LogDirtyPages };
        Do(Huge);
        Write(Huge.Gpa);
        Do(logging);
        Write(logging.Gpa);
        Read(logging.Gpa + Page.Size);
        var log = ReadLog(logging);
        Delete(logging);
        return (log & 2) == 0;
    }

    private bool ProtectsHugeLeavesOnClear()
    {
        var logging = Huge with { Flags = RegionFlags.LogDirtyPages };
        Do(Huge);
        Write(Huge.Gpa);
        Do(new KvmCall.EnableCap(Manual, 0, InitiallySet));
        Do(logging);
        Do(new KvmCall.EnableCap(Manual, 0, 0));
        ReadLog(logging);
        Write(logging.Gpa);
        var log = ReadLog(logging);
        Delete(logging);
        return (log & 1) != 0;
    }

    /// <summary>The first word of a log, which is empty afterwards.</summary>
    private ulong ReadLog(KvmCall.SetRegion region)
    {
        var answer = Do(new KvmCall.GetDirtyLog(region.Slot));
        return answer.Errno == 0 ? Convert.ToUInt64(answer.Bitmap.Split(' ')[0], 16) : 0;
    }

    private KvmAnswer Read(ulong gpa) => Do(new KvmCall.Run(Access.Read, gpa, 8, 0));

    private void Write(ulong gpa) => Do(new KvmCall.Run(Access.Write, gpa, 8, 1));

    private ulong Extension(KvmCapability capability) => Do(new KvmCall.CheckExtension((uint)capability)).Value;

    private int HighestBit(int lowest, int highest, Func<int, KvmCall.SetRegion> region)
    {
        var bit = highest;
        while (bit > lowest && !Accepts(region(bit)))
            bit--;
        return bit;
    }

    private bool Accepts(KvmCall.SetRegion region)
    {
        if (Do(region).Errno != 0)
            return false;
        Delete(region);
        return true;
    }

    private void Delete(KvmCall.SetRegion region) => Do(region with { Second = false, Size = 0, Flags = 0 });

    private KvmAnswer Do(KvmCall call) => vm.Do(call);

    private static HostAddress Absolute(ulong address) => new(HostArea.Absolute, address);

    private static KvmCall.SetRegion Region(uint slot, ulong gpa, ulong size, HostAddress hva, uint flags) =>
        new(false, slot, flags, gpa, size, hva, MemfdKind.Own, 0, default);

    private static bool IsOn(string module, string parameter)
    {
        var path = $"/sys/module/{module}/parameters/{parameter}";
        return File.Exists(path) && File.ReadAllText(path).StartsWith('Y');
    }
}
