using Userfault.Fetch;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>What a fetcher has done so far.</summary>
/// <param name="Fetcher">Its number.</param>
/// <param name="Counters">Pages and requests.</param>
/// <param name="Latency">Request latencies, from sending to the last page.</param>
/// <param name="Sources">The sources it can ask now.</param>
public sealed record FetcherReport(
    ulong Fetcher, FetchCounters Counters, LatencyHistogram Latency, IReadOnlyList<string> Sources);
