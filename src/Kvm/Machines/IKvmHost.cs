using Userfault.Actors;
using Userfault.Linux;

namespace Userfault.Kvm;

/// <summary>A VM to add memory and vCPUs to: the kernel's, or a test double.</summary>
internal interface IKvmHost : IDisposable
{
    /// <summary>Its memory regions.</summary>
    IMemoryRegionCalls Regions { get; }

    /// <summary>Number of slot ids, from 0.</summary>
    uint Slots { get; }

    /// <summary>Maximum number of vCPUs.</summary>
    int MaxVcpus { get; }

    /// <summary>Does it support KVM_MEM_USERFAULT?</summary>
    bool HasUserfault { get; }

    /// <summary>
    /// Counts the leaves that the VM's second stage has now, those of the guest's own program included; null where the
    /// kernel does not tell.
    /// </summary>
    GuestLeaves? CountLeaves();

    /// <summary>Creates a vCPU at the start of the guest's program.</summary>
    /// <param name="layout">The layout of the guest's own memory.</param>
    /// <param name="boot">Host address of that memory.</param>
    /// <param name="number">Its number, from 0.</param>
    /// <param name="ring">CPL 0 or 3.</param>
    IVcpuRunner CreateVcpu(GuestLayout layout, nint boot, int number, int ring);
}
