namespace Userfault.Mmu;

/// <summary>The guest's architecture. Named policies follow from it; code does not branch on it elsewhere.</summary>
public enum Architecture
{
    /// <summary>x86-64 with extended page tables.</summary>
    X86,

    /// <summary>arm64 with stage-2 translation, 4 KiB granule.</summary>
    Arm64,
}
