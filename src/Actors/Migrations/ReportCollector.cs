using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Collects the reports of one round of queries, from vCPUs, memslots and fetchers, in any order.
/// </summary>
internal sealed class ReportCollector
{
    private readonly SortedDictionary<int, VcpuReport> _vcpus = [];
    private readonly SortedDictionary<uint, SlotReport> _slots = [];
    private readonly SortedDictionary<ulong, FetcherReport> _fetchers = [];
    private int _vcpusComing = -1;
    private int _slotsComing = -1;
    private int _fetchersComing = -1;

    /// <summary>Have all reports arrived?</summary>
    public bool IsComplete =>
        _vcpus.Count == _vcpusComing && _slots.Count == _slotsComing && _fetchers.Count == _fetchersComing;

    /// <summary>By number.</summary>
    public IReadOnlyList<VcpuReport> Vcpus => [.. _vcpus.Values];

    /// <summary>By slot.</summary>
    public IReadOnlyList<SlotReport> Slots => [.. _slots.Values];

    /// <summary>By number.</summary>
    public IReadOnlyList<FetcherReport> Fetchers => [.. _fetchers.Values];

    /// <summary>Takes a message; false if it does not belong to a round.</summary>
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

    /// <summary>The fault latencies of all vCPUs.</summary>
    public LatencyHistogram Latency()
    {
        var all = new LatencyHistogram();
        foreach (var vcpu in _vcpus.Values)
            all.Add(vcpu.Latency);
        return all;
    }

    /// <summary>The work of all memslots.</summary>
    public SlotCounters SlotWork() => _slots.Values.Aggregate(new SlotCounters(), (sum, slot) => sum + slot.Counters);

    /// <summary>The work of all fetchers.</summary>
    public FetchCounters FetcherWork() =>
        _fetchers.Values.Aggregate(default(FetchCounters), (sum, fetcher) => sum + fetcher.Counters);
}
