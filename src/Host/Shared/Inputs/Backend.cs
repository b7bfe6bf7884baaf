namespace Userfault.Cli;

/// <summary>What the guest of a migration is.</summary>
internal enum Backend
{
    /// <summary>The model: actors' vCPUs over <c>src/Mmu</c>.</summary>
    Model,

    /// <summary>
    /// Threads that touch real memory of this process, which a child process serves through a userfaultfd.
    /// </summary>
    Userfaultfd,

    /// <summary>Real vCPUs under /dev/kvm.</summary>
    Kvm,
}
