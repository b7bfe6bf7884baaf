namespace Userfault.Kvm;

/// <summary>How a real vCPU's touch of a missing page reaches user space.</summary>
internal enum KvmMode
{
    /// <summary><see cref="Userfault"/> where this kernel has it, else <see cref="Kick"/>.</summary>
    Auto,

    /// <summary>The vCPU's thread sleeps in userfaultfd inside of KVM_RUN until the page is in place.</summary>
    Userfaultfd,

    /// <summary>
    /// An exit on a missing page without the kernel's help: the userfaultfd's event names the thread, which is kicked
    /// out of KVM_RUN and waits in user space.
    /// </summary>
    Kick,

    /// <summary>
    /// Where pages are missing no memory region is: the touch is an MMIO exit. A region comes with the pages.
    /// </summary>
    Holes,

    /// <summary>KVM_MEM_USERFAULT: the kernel reads the bitmap, and the vCPU exits where a bit is set.</summary>
    Userfault,
}
