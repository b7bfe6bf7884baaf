namespace Userfault.Mmu.Tests.Oracle;

/// <summary>What the host has behind a page of <see cref="NaiveKvm"/>.</summary>
public enum NaiveHostPage
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A page that must not be written.</summary>
    ReadOnly,

    /// <summary>A page.</summary>
    Writable,
}
