namespace Userfault.Mmu.Tests.Oracle;

/// <summary>Which file a GUEST_MEMFD region names.</summary>
public enum MemfdKind
{
    /// <summary>The VM's guest_memfd.</summary>
    Own,

    /// <summary>An open file that is no guest_memfd.</summary>
    OtherFile,

    /// <summary>A descriptor that is not open.</summary>
    Closed,
}
