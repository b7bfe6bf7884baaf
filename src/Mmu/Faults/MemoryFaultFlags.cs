namespace Userfault.Mmu;

/// <summary>Flags of a memory-fault exit, with the uAPI's values (<c>KVM_MEMORY_EXIT_FLAG_*</c>).</summary>
[Flags]
public enum MemoryFaultFlags : ulong
{
    /// <summary>A shared access whose page is not available.</summary>
    None = 0,

    /// <summary>The access was to private memory.</summary>
    Private = 1 << 3,

    /// <summary>The page's bit in the userfault bitmap is set.</summary>
    Userfault = 1 << 4,
}
