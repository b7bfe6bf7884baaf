using Userfault.Fetch;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>Gathers the reports of one round of asking, from vCPUs, memslots and fetchers, in whatever order they come.</summary>
public sealed class ReportCollector
{
    private readonly SortedDictionary<int, VcpuReport> _vcpus = [];
    private readonly SortedDictionary<uint, SlotReport> _slots = [];
    private readonly SortedDictionary<ulong, FetcherReport> _fetchers = [];
    private int _vcpusComing = -1;
    private int _slotsComing = -1;
    private int _fetchersComing = -1;

    /// <summary>Is everything here?</summary>
    public bool IsComplete =>
        _vcpus.Count == _vcpusComing && _slots.Count == _slotsComing && _fetchers.Count == _fetchersComing;

    /// <summary>By number.</summary>
    public IReadOnlyList<VcpuReport> Vcpus => [.. _vcpus.Values];

    /// <summary>By slot.</summary>
    public IReadOnlyList<SlotReport> Slots => [.. _slots.Values];

    /// <summary>By number.</summary>
    public IReadOnlyList<FetcherReport> Fetchers => [.. _fetchers.Values];

    /// <summary>Takes a message; false where it is none of a round's.</summary>
    public bool Take(object message)
    {
        switch (message)
        {
            case VmProtocol.ReportsComing coming:
                (_vcpusComing, _slotsComing) = (coming.Vcpus, coming.Slots);
                return true;
            case FetcherPoolProtocol.ReportsComing coming:
                _fetchersComing = coming.Count;
                return true;
            case VcpuReport report:
                _vcpus[report.Vcpu] = report;
                return true;
            case SlotReport report:
                _slots[report.Id.Raw] = report;
                return true;
            case FetcherReport report:
                _fetchers[report.Fetcher] = report;
                return true;
            default:
                return false;
        }
    }

    /// <summary>All vCPUs' fault latencies.</summary>
    public LatencyHistogram Latency()
    {
        var all = new LatencyHistogram();
        foreach (var vcpu in _vcpus.Values) all.Add(vcpu.Latency);
        return all;
    }

    /// <summary>All memslots' work.</summary>
    public SlotCounters SlotWork() => _slots.Values.Aggregate(new SlotCounters(), (sum, slot) => sum + slot.Counters);

    /// <summary>All fetchers' work.</summary>
    public FetchCounters FetcherWork() =>
        _fetchers.Values.Aggregate(default(FetchCounters), (sum, fetcher) => sum + fetcher.Counters);
}
