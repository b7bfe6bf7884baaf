namespace Userfault.Mmu.Tests.Oracle;

/// <summary>How an access of <see cref="NaiveKvm"/> ends.</summary>
public enum NaiveEnd
{
    /// <summary>It is made.</summary>
    Done,

    /// <summary>It goes to user space.</summary>
    Mmio,

    /// <summary>Its page's bit is set.</summary>
    Userfault,

    /// <summary>Its page's bit cannot be read.</summary>
    NoBit,

    /// <summary>The host has no page for it.</summary>
    NoPage,
}
