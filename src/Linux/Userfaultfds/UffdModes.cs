namespace Userfault.Linux;

/// <summary>How COPY, ZEROPAGE, CONTINUE, MOVE and POISON resolve. Not every call takes every bit.</summary>
[Flags]
public enum UffdModes : ulong
{
    /// <summary>Wakes who waits.</summary>
    None = 0,

    /// <summary>MODE_DONTWAKE: nobody sleeps on these pages.</summary>
    DontWake = 1 << 0,

    /// <summary>
    /// UFFDIO_COPY_MODE_WP, UFFDIO_CONTINUE_MODE_WP: maps write-protected. UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES for MOVE.
    /// </summary>
    Wp = 1 << 1,
}
