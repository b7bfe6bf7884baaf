namespace Userfault.Mmu;

/// <summary>What asking the host for the page behind an address can answer. A closed set.</summary>
public enum HostPageStatus
{
    /// <summary>The page is there.</summary>
    Present,

    /// <summary>
    /// The page is missing and userfaultfd is registered: the asking thread sleeps until it is resolved.
    /// </summary>
    Blocked,

    /// <summary>The page has a hardware error.</summary>
    Poisoned,

    /// <summary>A signal ended the wait for the page.</summary>
    SignalPending,

    /// <summary>Nothing is mapped there, it does not permit the access, or it is beyond the file's end.</summary>
    Unavailable,
}
