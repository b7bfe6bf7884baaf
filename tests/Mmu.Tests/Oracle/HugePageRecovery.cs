namespace Userfault.Mmu.Tests.Oracle;

/// <summary>What becomes of the small leaves of a slot that needs them no more.</summary>
public enum HugePageRecovery
{
    /// <summary>They stay.</summary>
    None,

    /// <summary>A huge leaf takes their place at once (6.13 and newer).</summary>
    InPlace,

    /// <summary>They are removed, and the next fault maps a huge leaf.</summary>
    Drop,
}
