namespace Userfault.Pages;

/// <summary>From instructions executed to ns.</summary>
internal static class AccessTiming
{
    /// <summary>Refuses a rate below 0.</summary>
    public static void Check(long instructionsPerSecond)
    {
        if (instructionsPerSecond < 0)
        {
            throw new PagingException(
                PagingError.BadOption,
                "instructions per second",
                $"{instructionsPerSecond}",
                "give a positive rate, or 0 for order only"
            );
        }
    }

    /// <summary>
    /// When a vCPU that never waits has executed that many instructions; 0 for rate 0; at most 292 years.
    /// </summary>
    public static long DueNs(ulong instructions, long instructionsPerSecond)
    {
        if (instructionsPerSecond == 0)
            return 0;
        var ns = (UInt128)instructions * 1_000_000_000 / (ulong)instructionsPerSecond;
        return ns > long.MaxValue ? long.MaxValue : (long)ns;
    }
}
