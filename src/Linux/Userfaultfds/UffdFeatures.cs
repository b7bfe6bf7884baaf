namespace Userfault.Linux;

/// <summary>
/// UFFD_FEATURE_*: what a userfaultfd reports beyond missing pages of anonymous memory, by the kernel's bits.
/// </summary>
[Flags]
public enum UffdFeatures : ulong
{
    /// <summary>Nothing more.</summary>
    None = 0,

    /// <summary>Faults say that they are from write protection.</summary>
    PagefaultFlagWp = 1 << 0,

    /// <summary>Event FORK.</summary>
    EventFork = 1 << 1,

    /// <summary>Event REMAP.</summary>
    EventRemap = 1 << 2,

    /// <summary>Event REMOVE: pages were given back.</summary>
    EventRemove = 1 << 3,

    /// <summary>Missing pages of hugetlbfs.</summary>
    MissingHugetlbfs = 1 << 4,

    /// <summary>Missing pages of shared memory.</summary>
    MissingShmem = 1 << 5,

    /// <summary>Event UNMAP.</summary>
    EventUnmap = 1 << 6,

    /// <summary>A signal instead of an event.</summary>
    Sigbus = 1 << 7,

    /// <summary>Faults name the thread.</summary>
    ThreadId = 1 << 8,

    /// <summary>Pages in the page cache but not mapped, hugetlbfs.</summary>
    MinorHugetlbfs = 1 << 9,

    /// <summary>Pages in the page cache but not mapped, shared memory.</summary>
    MinorShmem = 1 << 10,

    /// <summary>The address within the page too.</summary>
    ExactAddress = 1 << 11,

    /// <summary>Write protection of hugetlbfs and shared memory.</summary>
    WpHugetlbfsShmem = 1 << 12,

    /// <summary>Write protection of pages that are not there.</summary>
    WpUnpopulated = 1 << 13,

    /// <summary>UFFDIO_POISON.</summary>
    Poison = 1 << 14,

    /// <summary>Write protection that the kernel lifts by itself.</summary>
    WpAsync = 1 << 15,

    /// <summary>UFFDIO_MOVE.</summary>
    Move = 1 << 16,
}
