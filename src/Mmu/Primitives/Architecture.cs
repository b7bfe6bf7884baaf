namespace Userfault.Mmu;

/// <summary>The guest's architecture. It determines the named policies; no other code branches on it.</summary>
public enum Architecture
{
    /// <summary>x86-64 with extended page tables.</summary>
    X86,

    /// <summary>arm64 with stage-2 translation, 4 KiB granule.</summary>
    Arm64,
}
