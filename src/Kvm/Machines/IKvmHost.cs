using Userfault.Linux;

namespace Userfault.Kvm;

/// <summary>A VM to put memory and vCPUs into: the kernel's, or one that a test makes up.</summary>
internal interface IKvmHost : IDisposable
{
    /// <summary>Its memory regions.</summary>
    IMemoryRegionCalls Regions { get; }

    /// <summary>Slot ids that it has, from 0.</summary>
    uint Slots { get; }

    /// <summary>The most vCPUs.</summary>
    int MaxVcpus { get; }

    /// <summary>Does it know KVM_MEM_USERFAULT?</summary>
    bool HasUserfault { get; }

    /// <summary>A vCPU at the start of the guest's program.</summary>
    /// <param name="layout">Where the guest's own memory lies.</param>
    /// <param name="boot">Host address of that memory.</param>
    /// <param name="number">Its number, from 0.</param>
    /// <param name="ring">CPL 0 or 3.</param>
    IVcpuRunner CreateVcpu(GuestLayout layout, nint boot, int number, int ring);
}
