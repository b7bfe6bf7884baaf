namespace Userfault.Mmu;

/// <summary>
/// The errors that the modelled calls return, with Linux's numbers. A closed set: a call that can return another error
/// is a defect of the model.
/// </summary>
public enum Errno
{
    /// <summary>Success.</summary>
    None = 0,

    /// <summary>ENOENT: no such slot, or a slot that does not log dirty pages.</summary>
    ENOENT = 2,

    /// <summary>EINTR: a signal is pending.</summary>
    EINTR = 4,

    /// <summary>E2BIG: an argument list is larger than the call takes.</summary>
    E2BIG = 7,

    /// <summary>EBADF: a descriptor that is not open.</summary>
    EBADF = 9,

    /// <summary>EAGAIN: try again.</summary>
    EAGAIN = 11,

    /// <summary>ENOMEM: out of memory.</summary>
    ENOMEM = 12,

    /// <summary>EFAULT: an address that cannot be used, or a vCPU exit with a memory fault.</summary>
    EFAULT = 14,

    /// <summary>EEXIST: already exists.</summary>
    EEXIST = 17,

    /// <summary>EINVAL: an argument that is not valid.</summary>
    EINVAL = 22,

    /// <summary>EOPNOTSUPP: not supported here.</summary>
    EOPNOTSUPP = 95,

    /// <summary>EHWPOISON: the memory page has a hardware error.</summary>
    EHWPOISON = 133,
}
