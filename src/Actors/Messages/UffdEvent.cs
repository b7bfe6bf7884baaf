using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>UFFD_EVENT_PAGEFAULT: a thread sleeps on a page.</summary>
/// <param name="Page">The page.</param>
/// <param name="IsMinor">Is it in the page cache (UFFD_PAGEFAULT_FLAG_MINOR)?</param>
/// <param name="IsWrite">Was it a write (UFFD_PAGEFAULT_FLAG_WRITE)?</param>
public readonly record struct UffdEvent(MemoryPage Page, bool IsMinor, bool IsWrite);
