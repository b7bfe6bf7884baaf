namespace Userfault.Linux;

/// <summary>
/// The errors that Linux's calls answer here, by the kernel's names and numbers (include/uapi/asm-generic/errno.h). A
/// number that has no name here is still a value of this type.
/// </summary>
public enum LinuxErrno
{
    /// <summary>Success.</summary>
    None = 0,

    /// <summary>Not permitted: a privilege is missing.</summary>
    EPERM = 1,

    /// <summary>No such file, or no such range.</summary>
    ENOENT = 2,

    /// <summary>No such process: its memory is gone.</summary>
    ESRCH = 3,

    /// <summary>A signal came first.</summary>
    EINTR = 4,

    /// <summary>Input or output failed.</summary>
    EIO = 5,

    /// <summary>No such device or address.</summary>
    ENXIO = 6,

    /// <summary>A list is longer than the call takes.</summary>
    E2BIG = 7,

    /// <summary>A descriptor that is not open, or not for this.</summary>
    EBADF = 9,

    /// <summary>Nothing there yet, or something is changing: try again.</summary>
    EAGAIN = 11,

    /// <summary>Out of memory.</summary>
    ENOMEM = 12,

    /// <summary>Access denied by a file's mode.</summary>
    EACCES = 13,

    /// <summary>An address that cannot be used.</summary>
    EFAULT = 14,

    /// <summary>In use.</summary>
    EBUSY = 16,

    /// <summary>Something is there already.</summary>
    EEXIST = 17,

    /// <summary>No such device.</summary>
    ENODEV = 19,

    /// <summary>A part of the path is no folder.</summary>
    ENOTDIR = 20,

    /// <summary>A folder, where something else is wanted.</summary>
    EISDIR = 21,

    /// <summary>An argument that is not valid.</summary>
    EINVAL = 22,

    /// <summary>The machine has no descriptors left.</summary>
    ENFILE = 23,

    /// <summary>This process has no descriptors left.</summary>
    EMFILE = 24,

    /// <summary>The descriptor's kind does not know the request.</summary>
    ENOTTY = 25,

    /// <summary>No space left.</summary>
    ENOSPC = 28,

    /// <summary>A pipe cannot seek.</summary>
    ESPIPE = 29,

    /// <summary>Nobody reads at the other end.</summary>
    EPIPE = 32,

    /// <summary>A number out of range.</summary>
    ERANGE = 34,

    /// <summary>A name that is too long.</summary>
    ENAMETOOLONG = 36,

    /// <summary>The kernel does not have this call.</summary>
    ENOSYS = 38,

    /// <summary>Not supported here.</summary>
    EOPNOTSUPP = 95,

    /// <summary>The address is in use.</summary>
    EADDRINUSE = 98,

    /// <summary>The other end broke the connection.</summary>
    ECONNRESET = 104,

    /// <summary>Not connected.</summary>
    ENOTCONN = 107,

    /// <summary>It took too long.</summary>
    ETIMEDOUT = 110,

    /// <summary>Nobody listens there.</summary>
    ECONNREFUSED = 111,

    /// <summary>The memory page has a hardware error.</summary>
    EHWPOISON = 133,
}
