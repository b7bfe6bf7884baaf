using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Which faults are pending, and since when, so that their waits can be measured. Bounded: a fault beyond the bound is
/// served as any other and not measured. One owner.
/// </summary>
internal sealed class PendingFaults
{
    private const int MaxMeasured = 1024;
    private readonly (ulong Page, long SinceNs)[] _faults = new (ulong, long)[MaxMeasured];
    private int _count;

    /// <summary>From fault read to page in place, in ns.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>A fault begins to wait.</summary>
    public void Begin(MemoryPage page, long nowNs)
    {
        if (_count < MaxMeasured)
            _faults[_count++] = (page.Value, nowNs);
    }

    /// <summary>These pages are in place.</summary>
    public void End(MemoryPage first, ulong pages, long nowNs)
    {
        for (var i = 0; i < _count; )
        {
            if (_faults[i].Page - first.Value >= pages)
            {
                i++;
                continue;
            }
            Latency.Record(nowNs - _faults[i].SinceNs);
            _faults[i] = _faults[--_count];
        }
    }
}
