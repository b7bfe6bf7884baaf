namespace Userfault.Qemu;

/// <summary>Says when pages that are wanted have not come for too long. One owner.</summary>
/// <param name="patienceNs">How long is too long, in ns.</param>
internal sealed class ArrivalWatch(long patienceNs)
{
    private long _quietSinceNs;

    /// <summary>Has nothing come for too long, while something was wanted?</summary>
    /// <param name="isWaiting">Is something wanted that has not come?</param>
    /// <param name="hasCome">Has something come since the last call?</param>
    /// <param name="nowNs">The time.</param>
    public bool IsOver(bool isWaiting, bool hasCome, long nowNs)
    {
        if (!isWaiting || hasCome || _quietSinceNs == 0)
            _quietSinceNs = nowNs;
        return nowNs - _quietSinceNs > patienceNs;
    }
}
