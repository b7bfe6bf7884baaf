namespace Userfault.Mmu;

/// <summary>
/// All differences between the two architectures, and between VMs of one architecture, each under its own name. Start
/// from <see cref="X86"/> or <see cref="Arm64"/> and change individual properties: <c>MmuPolicy.X86 with { ... }</c>.
/// </summary>
public sealed record MmuPolicy
{
    private MmuPolicy() { }

    /// <summary>An x86 VM with two-dimensional paging, private memory, and KVM's default quirks.</summary>
    public static MmuPolicy X86 { get; } =
        new()
        {
            Architecture = Architecture.X86,
            PhysicalAddressBits = 46,
            BeyondWidthErrno = Errno.EINVAL,
            UserSpaceEnd = 0x7fff_ffff_f000,
            AddressSpaces = 2,
            UserSlots = 32764,
            HasPrivateMemory = true,
            RepairsWriteProtectedLeavesFirst = true,
            RetriesOnInvalidSlot = true,
            RetriesOnInvalidationFirst = true,
            PrefaultsMemory = true,
            InterruptsHostFaults = true,
            ExitsOnErrorPage = true,
            MapsExecutable = true,
            MapsWritableOnRead = true,
            LogsReadonlySlots = true,
            RecoversHugePagesOnDisable = true,
            HasQuirks = true,
            ZapsAllSlots = true,
            SplitsEagerly = true,
        };

    /// <summary>An arm64 VM with a 4 KiB granule.</summary>
    public static MmuPolicy Arm64 { get; } =
        new()
        {
            Architecture = Architecture.Arm64,
            PhysicalAddressBits = 40,
            BeyondWidthErrno = Errno.EFAULT,
            UserSpaceEnd = 1UL << 48,
            AddressSpaces = 1,
            UserSlots = 32767,
            ChecksReadonlyBeforeUserfault = true,
            InjectsAborts = true,
            TreatsWalksAsReads = true,
            WriteProtectsSpans = true,
            ProtectsHugeLeavesOnClear = true,
        };

    /// <summary>The format of the second-stage tables.</summary>
    public Architecture Architecture { get; init; }

    /// <summary>
    /// Width of a guest physical address in bits: the host's MAXPHYADDR on x86, the VM's IPA size on arm64.
    /// </summary>
    public int PhysicalAddressBits { get; init; }

    /// <summary>The errno for a slot that ends beyond the width.</summary>
    public Errno BeyondWidthErrno { get; init; }

    /// <summary>First host virtual address that is not user space (the kernel's <c>TASK_SIZE_MAX</c>).</summary>
    public ulong UserSpaceEnd { get; init; }

    /// <summary>Number of address spaces of the VM: two on x86 with SMM emulation, otherwise one.</summary>
    public int AddressSpaces { get; init; }

    /// <summary>Number of slot ids that user space may use (<c>KVM_USER_MEM_SLOTS</c>).</summary>
    public int UserSlots { get; init; }

    /// <summary>
    /// The number of KVM_CAP_USERFAULT: 243 in the v3 series, different elsewhere.
    /// </summary>
    public uint UserfaultCapability { get; init; } = 243;

    /// <summary>Can pages be private (<c>KVM_MEMORY_ATTRIBUTE_PRIVATE</c>)?</summary>
    public bool HasPrivateMemory { get; init; }

    /// <summary>Is a write-protected leaf repaired before all other checks (x86 fast page fault)?</summary>
    public bool RepairsWriteProtectedLeavesFirst { get; init; }

    /// <summary>
    /// Is a write to a READONLY slot MMIO before the userfault check (arm64) rather than after it (x86)?
    /// </summary>
    public bool ChecksReadonlyBeforeUserfault { get; init; }

    /// <summary>
    /// Is an access to a slot being deleted or moved retried (x86), rather than treated as an access to no slot?
    /// </summary>
    public bool RetriesOnInvalidSlot { get; init; }

    /// <summary>
    /// Does an invalidation in progress retry the access before the userfault check (x86), not only after it?
    /// </summary>
    public bool RetriesOnInvalidationFirst { get; init; }

    /// <summary>
    /// Do instruction fetches and table walks outside of memory get an abort injected into the guest, instead of MMIO?
    /// </summary>
    public bool InjectsAborts { get; init; }

    /// <summary>
    /// Is the hardware's walk of the guest's tables a write only if it met a leaf without the permission (arm64)?
    /// Otherwise guests could not keep page tables in READONLY memory.
    /// </summary>
    public bool TreatsWalksAsReads { get; init; }

    /// <summary>Is there KVM_PRE_FAULT_MEMORY?</summary>
    public bool PrefaultsMemory { get; init; }

    /// <summary>Does a pending signal end a wait for a host page with EINTR?</summary>
    public bool InterruptsHostFaults { get; init; }

    /// <summary>
    /// Does an unavailable host page exit with KVM_EXIT_MEMORY_FAULT, rather than with a bare EFAULT?
    /// </summary>
    public bool ExitsOnErrorPage { get; init; }

    /// <summary>
    /// Are all leaves executable? If not, a leaf becomes executable when the guest first fetches from it.
    /// </summary>
    public bool MapsExecutable { get; init; }

    /// <summary>Does a read of a logging slot install a writable leaf if the host page is writable?</summary>
    public bool MapsWritableOnRead { get; init; }

    /// <summary>Does LOG_DIRTY_PAGES on a READONLY slot force 4 KiB leaves although nothing can become dirty?</summary>
    public bool LogsReadonlySlots { get; init; }

    /// <summary>Are huge leaves rebuilt when USERFAULT or LOG_DIRTY_PAGES is turned off?</summary>
    public bool RecoversHugePagesOnDisable { get; init; }

    /// <summary>
    /// Are tables that could become huge leaves removed instead of rebuilt in place, so that the next fault maps the
    /// huge leaf (kernels before 6.13)? Applies where <see cref="RecoversHugePagesOnDisable"/> does.
    /// </summary>
    public bool DropsTablesToRecover { get; init; }

    /// <summary>Can user space turn KVM's quirks off (KVM_CAP_DISABLE_QUIRKS2)?</summary>
    public bool HasQuirks { get; init; }

    /// <summary>
    /// Does zapping a slot zap every slot of the VM (<c>KVM_X86_QUIRK_SLOT_ZAP_ALL</c>)? A VM option: on by default on
    /// x86, and user space can turn it off.
    /// </summary>
    public bool ZapsAllSlots { get; init; }

    /// <summary>
    /// Are huge leaves split when logging is turned on (<c>eager_page_split</c>), not only when written?
    /// </summary>
    public bool SplitsEagerly { get; init; }

    /// <summary>
    /// Does clearing a dirty log write-protect from the first to the last bit of a word, instead of bit by bit?
    /// </summary>
    public bool WriteProtectsSpans { get; init; }

    /// <summary>
    /// Does clearing a dirty log write-protect huge leaves over its pages in every case (arm64)? x86 does so only if
    /// <see cref="StartsAllDirty"/>: if user space turns that off later, writes through a huge leaf that is writable
    /// stay unlogged.
    /// </summary>
    public bool ProtectsHugeLeavesOnClear { get; init; }

    /// <summary>
    /// Are writes logged by the hardware's dirty bit (page-modification logging), not by write protection?
    /// </summary>
    public bool UsesHardwareDirtyLog { get; init; }

    /// <summary>
    /// How dirty logs are cleared; user space sets it once per VM (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2).
    /// </summary>
    public DirtyLogProtect DirtyLogProtect { get; init; }

    /// <summary>
    /// Does a slot that starts to log count all its pages as dirty, and protect none until they are cleared?
    /// </summary>
    public bool StartsAllDirty => (DirtyLogProtect & DirtyLogProtect.InitiallySet) != 0;

    /// <summary>
    /// Does <c>[address, address + size)</c> lie in user space (<c>access_ok</c>, and no tag bits)? No memory is read.
    /// </summary>
    /// <param name="address">Host virtual address in bytes.</param>
    /// <param name="sizeBytes">Size in bytes; an empty range may start at the very end.</param>
    public bool IsUserSpace(ulong address, ulong sizeBytes) =>
        address <= UserSpaceEnd && sizeBytes <= UserSpaceEnd - address;

    /// <summary>Do faults of this slot map at 4 KiB because it logs dirty pages?</summary>
    public bool IsLogging(Memslot slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        return slot.LogsDirtyPages && (LogsReadonlySlots || !slot.IsReadonly);
    }
}
