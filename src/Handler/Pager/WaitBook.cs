using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Which faults wait, and since when, so that their waits can be told. Bounded: a fault beyond the bound is served as
/// any other and not measured. One owner.
/// </summary>
internal sealed class WaitBook
{
    private const int Most = 1024;
    private readonly (ulong Page, long SinceNs)[] _waits = new (ulong, long)[Most];
    private int _count;

    /// <summary>From fault read to page in place, in ns.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>A fault begins to wait.</summary>
    public void Begin(MemoryPage page, long nowNs)
    {
        if (_count < Most)
            _waits[_count++] = (page.Value, nowNs);
    }

    /// <summary>These pages are in place.</summary>
    public void End(MemoryPage first, ulong pages, long nowNs)
    {
        for (var i = 0; i < _count; )
        {
            if (_waits[i].Page - first.Value >= pages)
            {
                i++;
                continue;
            }
            Latency.Record(nowNs - _waits[i].SinceNs);
            _waits[i] = _waits[--_count];
        }
    }
}
