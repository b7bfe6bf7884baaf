using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>The work of a fetcher since its start.</summary>
/// <param name="Fetcher">Its number.</param>
/// <param name="Counters">Pages and requests.</param>
/// <param name="Latency">Request latencies, from sending to the last page.</param>
/// <param name="Sources">The sources that it can use now.</param>
public sealed record FetcherReport(
    ulong Fetcher,
    FetchCounters Counters,
    LatencyHistogram Latency,
    IReadOnlyList<string> Sources
);
