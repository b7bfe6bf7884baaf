namespace Userfault.Mmu;

/// <summary>
/// A VM's memory with KVM's own calls, synchronous: each returns its errno when it is complete, as an ioctl does. For
/// unit tests of a VMM, and the reference for other code that drives <see cref="MemslotCore"/>.
/// </summary>
/// <remarks>
/// One thread. Host memory and open files are passed in as interfaces; the model accesses nothing else. TLBs are
/// flushed at once, which amounts to having none: every access walks.
/// </remarks>
public sealed partial class Vm : IDisposable
{
    private readonly IHostMemory _host;
    private readonly IFileTable? _files;
    private readonly MemslotSet[] _addressSpaces;
    private readonly List<MemslotCore?>[] _cores;
    private MemoryAttributes _attributes = MemoryAttributes.AllShared;

    /// <summary>Creates a VM without memory.</summary>
    /// <param name="policy">The kind of VM: start from <see cref="MmuPolicy.X86"/> or
    /// <see cref="MmuPolicy.Arm64"/>.</param>
    /// <param name="host">The VMM's address space.</param>
    /// <param name="files">The VMM's open files; null if it has none.</param>
    public Vm(MmuPolicy policy, IHostMemory host, IFileTable? files = null)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(host);
        Policy = policy;
        _host = host;
        _files = files;
        _addressSpaces = new MemslotSet[policy.AddressSpaces];
        _cores = new List<MemslotCore?>[policy.AddressSpaces];
        for (var i = 0; i < policy.AddressSpaces; i++)
        {
            _addressSpaces[i] = new MemslotSet();
            _cores[i] = [];
        }
    }

    /// <summary>The kind of VM; capabilities that user space enables change it.</summary>
    public MmuPolicy Policy { get; private set; }

    /// <summary>The private pages.</summary>
    public MemoryAttributes Attributes => _attributes;

    /// <summary>The slots of an address space, by gfn.</summary>
    public MemslotGeneration Slots(int addressSpace = 0) => _addressSpaces[addressSpace].Current;

    /// <summary>The core of a slot, or null if there is no such slot.</summary>
    public MemslotCore? FindSlot(SlotId id)
    {
        if (id.AddressSpace >= _cores.Length)
            return null;
        var cores = _cores[id.AddressSpace];
        return id.Id < cores.Count ? cores[id.Id] : null;
    }

    /// <summary>KVM_CHECK_EXTENSION.</summary>
    /// <param name="capability">The number; <see cref="VmCapability"/> lists those whose result is not 0.</param>
    /// <returns>0 if the VM lacks it.</returns>
    public int CheckExtension(uint capability)
    {
        if (capability == Policy.UserfaultCapability)
            return 1;
        return capability switch
        {
            VmCapability.UserMemory
            or VmCapability.UserMemory2
            or VmCapability.SyncMmu
            or VmCapability.ReadonlyMem
            or VmCapability.DestroyMemoryRegionWorks
            or VmCapability.JoinMemoryRegionsWorks
            or VmCapability.MemoryFaultInfo => 1,
            VmCapability.NrMemslots => Policy.UserSlots,
            VmCapability.MultiAddressSpace => Policy.AddressSpaces > 1 ? Policy.AddressSpaces : 0,
            VmCapability.ManualDirtyLogProtect2 => (int)(DirtyLogProtect.Manual | DirtyLogProtect.InitiallySet),
            VmCapability.DisableQuirks or VmCapability.DisableQuirks2 => Policy.HasQuirks
                ? (int)VmCapability.QuirkSlotZapAll
                : 0,
            VmCapability.MemoryAttributes => Policy.HasPrivateMemory ? (int)MemoryAttributes.PrivateBit : 0,
            VmCapability.GuestMemfd => 1,
            VmCapability.PreFaultMemory => Policy.PrefaultsMemory ? 1 : 0,
            _ => 0,
        };
    }

    /// <summary>KVM_ENABLE_CAP on the VM.</summary>
    /// <param name="capability">The number.</param>
    /// <param name="flags">Must be 0.</param>
    /// <param name="argument">The capability's first argument.</param>
    /// <returns>EINVAL for everything that cannot be enabled, including KVM_CAP_USERFAULT and async page
    /// faults.</returns>
    public Errno EnableCap(uint capability, uint flags = 0, ulong argument = 0)
    {
        if (flags != 0)
            return Errno.EINVAL;
        if (capability == VmCapability.ManualDirtyLogProtect2)
        {
            var allowed =
                (argument & (ulong)DirtyLogProtect.Manual) != 0
                    ? DirtyLogProtect.Manual | DirtyLogProtect.InitiallySet
                    : DirtyLogProtect.Manual;
            if ((argument & ~(ulong)allowed) != 0)
                return Errno.EINVAL;
            SetPolicy(Policy with { DirtyLogProtect = (DirtyLogProtect)argument });
            return Errno.None;
        }

        var isQuirk = capability is VmCapability.DisableQuirks or VmCapability.DisableQuirks2;
        if (!isQuirk || !Policy.HasQuirks || (argument & ~VmCapability.QuirkSlotZapAll) != 0)
            return Errno.EINVAL;
        if (argument != 0)
            SetPolicy(Policy with { ZapsAllSlots = false });
        return Errno.None;
    }

    /// <summary>Frees all tables.</summary>
    public void Dispose()
    {
        foreach (var cores in _cores)
        {
            foreach (var core in cores)
                core?.Dispose();
            cores.Clear();
        }
    }

    private void SetPolicy(MmuPolicy policy)
    {
        Policy = policy;
        foreach (var cores in _cores)
        {
            foreach (var core in cores)
            {
                if (core is not null)
                    core.Policy = policy;
            }
        }
    }

    /// <summary>Executes all pending work of a change, flushing at once.</summary>
    private static void Finish(MemslotCore core)
    {
        for (var isDone = false; !isDone; )
        {
            isDone = core.Work(int.MaxValue).IsDone;
            core.CompleteFlush();
        }
    }
}
