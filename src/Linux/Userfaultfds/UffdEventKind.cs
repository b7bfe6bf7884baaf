namespace Userfault.Linux;

/// <summary>UFFD_EVENT_*.</summary>
public enum UffdEventKind : byte
{
    /// <summary>A thread sleeps on a page.</summary>
    Pagefault = 0x12,

    /// <summary>The process forked; the event holds a new userfaultfd.</summary>
    Fork = 0x13,

    /// <summary>A range was moved.</summary>
    Remap = 0x14,

    /// <summary>Pages were given back: they read as zeros.</summary>
    Remove = 0x15,

    /// <summary>A range was unmapped.</summary>
    Unmap = 0x16,
}
