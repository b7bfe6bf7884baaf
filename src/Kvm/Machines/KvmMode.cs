namespace Userfault.Kvm;

/// <summary>How a real vCPU's touch of a missing page reaches user space.</summary>
internal enum KvmMode
{
    /// <summary><see cref="Userfault"/> if this kernel supports it, otherwise <see cref="Kick"/>.</summary>
    Auto,

    /// <summary>The vCPU's thread sleeps in userfaultfd inside KVM_RUN until the page is in place.</summary>
    Userfaultfd,

    /// <summary>
    /// An exit on a missing page without kernel support: the userfaultfd's event names the thread, which is kicked out
    /// of KVM_RUN and waits in user space.
    /// </summary>
    Kick,

    /// <summary>
    /// There is no memory region where pages are missing: the touch is an MMIO exit. The region is set with the pages.
    /// </summary>
    Holes,

    /// <summary>KVM_MEM_USERFAULT: the kernel reads the bitmap, and the vCPU exits if the bit is set.</summary>
    Userfault,
}
