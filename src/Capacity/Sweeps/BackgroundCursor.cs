namespace Userfault.Capacity;

/// <summary>The order of prefetching: words of guest memory, with masks of their pages.</summary>
internal sealed class BackgroundCursor(SweepPoint point, long words)
{
    // A record follows the order of touches: a run of one vCPU, then of the next.
    private const int RecordedRun = 16;
    private long _next;

    /// <summary>The next word and mask; false if there is none.</summary>
    public bool TryNext(out long word, out ulong mask)
    {
        (word, mask) = (_next, ulong.MaxValue);
        if (point.Prefetch == PrefetchKind.Push)
            return _next++ < words;
        var runs = (point.TouchesPerVcpu + RecordedRun - 1) / RecordedRun;
        if (point.Prefetch != PrefetchKind.Replay || _next >= (long)runs * point.Vcpus)
            return false;
        var (run, vcpu) = (_next / point.Vcpus, _next % point.Vcpus);
        _next++;
        var first = (vcpu * point.PagesPerVcpu) + (run * RecordedRun);
        (word, mask) = (first >> 6, 0);
        for (var i = 0; i < Math.Min(RecordedRun, point.TouchesPerVcpu - (run * RecordedRun)); i++)
        {
            if (SweepDraw.Fraction(point.Seed, (ulong)(first + i)) < point.RecordedShare)
                mask |= 1UL << (int)((first + i) & 63);
        }

        return true;
    }
}
