namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// Rules of the USERFAULT flag that a <see cref="NaiveKvm"/> can get wrong, to see whether programs notice.
/// </summary>
public enum NaiveDefect
{
    /// <summary>It follows the specification.</summary>
    None,

    /// <summary>Bits without a bitmap cannot be read.</summary>
    NullIsUnreadable,

    /// <summary>A word that ends behind the last readable byte is read as far as it goes.</summary>
    ReadsHalfWords,

    /// <summary>Bitmaps begin at a multiple of 8.</summary>
    RoundsAddresses,

    /// <summary>The same flags with another bitmap take the bitmap.</summary>
    TakesBitmapWithSameFlags,

    /// <summary>Other flags beside USERFAULT keep the old bitmap.</summary>
    KeepsBitmapWithOtherFlags,

    /// <summary>Every change of flags beside USERFAULT zaps.</summary>
    ZapsWhileFlagStays,

    /// <summary>Turning the flag on zaps nothing.</summary>
    NeverZaps,

    /// <summary>Pages are mapped large although the flag is on.</summary>
    MapsHugeWithFlag,

    /// <summary>Huge leaves come back when logging ends while the flag stays (v3 as posted).</summary>
    RecoversBesideFlag,
}
