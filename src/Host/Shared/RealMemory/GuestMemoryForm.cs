namespace Userfault.Cli;

/// <summary>What a guest of touching threads has as memory.</summary>
internal enum GuestMemoryForm
{
    /// <summary>Private memory in pages of 4 KiB.</summary>
    Private,

    /// <summary>Shared memory in pages of 4 KiB: a memfd, allocated, and handed over as well.</summary>
    Shmem,

    /// <summary>Private memory in pages of 2 MiB.</summary>
    HugePages,

    /// <summary>
    /// A memfd in a guest_memfd's place, with a bitmap: vCPUs access it by the file, the monitor by its mapping.
    /// </summary>
    SecretFree,
}
