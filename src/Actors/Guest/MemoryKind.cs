namespace Userfault.Actors;

/// <summary>The backing of guest memory at the destination.</summary>
public enum MemoryKind
{
    /// <summary>Private anonymous memory: userfaultfd MISSING, resolved with UFFDIO_COPY.</summary>
    Anonymous,

    /// <summary>
    /// Shared memory: content goes into the page cache; userfaultfd MINOR, resolved with UFFDIO_CONTINUE.
    /// </summary>
    Shmem,

    /// <summary>guest_memfd: private pages with no host mapping. Only KVM Userfault can catch its faults.</summary>
    GuestMemfd,
}
