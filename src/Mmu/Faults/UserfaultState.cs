namespace Userfault.Mmu;

/// <summary>The result of the userfault check for a page.</summary>
public enum UserfaultState
{
    /// <summary>The slot has no USERFAULT flag or no bitmap, or the bit is clear: continue.</summary>
    Clear,

    /// <summary>The bit is set: exit.</summary>
    Set,

    /// <summary>The bitmap cannot be read at this place: EFAULT without a prepared exit.</summary>
    Unreadable,
}
