namespace Userfault.Mmu;

/// <summary>The possible results of requesting the page behind an address from the host. A closed set.</summary>
public enum HostPageStatus
{
    /// <summary>The page is present.</summary>
    Present,

    /// <summary>
    /// The page is missing and userfaultfd is registered: the requesting thread sleeps until it is resolved.
    /// </summary>
    Blocked,

    /// <summary>The page has a hardware error.</summary>
    Poisoned,

    /// <summary>A signal ended the wait for the page.</summary>
    SignalPending,

    /// <summary>Nothing is mapped there, the mapping forbids the access, or it is beyond the end of the file.</summary>
    Unavailable,
}
