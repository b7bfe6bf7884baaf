namespace Userfault.Handler;

/// <summary>What a pager tells of while it serves a VM.</summary>
internal enum PagerNotice
{
    /// <summary>There is no memory, or no free huge page, for the VM's pages: its faults wait.</summary>
    MemoryShort,

    /// <summary>There is memory for its pages again.</summary>
    MemoryBack,

    /// <summary>The first write to a page that the monitor has write-protected.</summary>
    WriteProtected,

    /// <summary>The process that connected has ended, and another one has the memory.</summary>
    OwnerUnknown,
}
