using System.Diagnostics.Metrics;
using Userfault.Actors;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// What a node counts, as instruments of the meter "Userfault": any listener in this process can read them, and
/// <see cref="MetricsEndpoint"/> shows them. Read when asked, so they cost nothing else.
/// </summary>
internal sealed class NodeMetrics : IDisposable
{
    public const string MeterName = "Userfault";

    private readonly Meter _meter = new(MeterName);

    /// <summary>Instruments of what every node has.</summary>
    /// <param name="report">What the node says of itself.</param>
    /// <param name="nodes">The cluster as it sees it.</param>
    public NodeMetrics(Func<NodeReport> report, Func<IReadOnlyList<ClusterNode>> nodes)
    {
        _meter.CreateObservableCounter("userfault.pages.sent", () => report().PagesSent, "pages", "Pages that this node's data-plane server has answered.");
        _meter.CreateObservableGauge("userfault.pages.present", () => (long)report().PagesPresent, "pages", "Pages in place at this destination.");
        _meter.CreateObservableGauge("userfault.pages.total", () => (long)report().Pages, "pages", "Pages of this destination's guest.");
        _meter.CreateObservableGauge("userfault.offers", () => report().Offers.Count, "images", "Images that can be had here.");
        _meter.CreateObservableGauge(
            "userfault.cluster.members",
            () => nodes().GroupBy(n => (string.Join(",", n.Roles), n.IsReachable)).Select(g => new Measurement<int>(
                g.Count(), new KeyValuePair<string, object?>("roles", g.Key.Item1), new KeyValuePair<string, object?>("reachable", g.Key.IsReachable ? "yes" : "no"))),
            "nodes", "Members of the cluster as this node sees it.");
    }

    /// <summary>Adds instruments of the replicas of bitmaps that a node holds.</summary>
    public void Watch(Replicas replicas)
    {
        _meter.CreateObservableGauge(
            "userfault.replica.missing",
            () => replicas.Held.Select(h => new Measurement<long>((long)h.Replica.Missing, Tags(h))),
            "pages", "Pages that a destination misses, by this node's replica of its bitmap.");
        _meter.CreateObservableCounter(
            "userfault.replica.repairs",
            () => replicas.Held.Select(h => new Measurement<long>(h.Replica.Repairs, Tags(h))),
            "repairs", "How often a replica had to ask for what it missed.");
    }

    /// <summary>Adds the instruments of a fetcher's node.</summary>
    public void Watch(Relay relay) => _meter.CreateObservableCounter(
        "userfault.pages.hedged", () => relay.Hedged, "pages", "Pages that this fetcher has asked of a second source, since the first was slow.");

    /// <summary>Adds the instruments of a migration.</summary>
    public void Watch(Func<MigrationProgress?> progress)
    {
        _meter.CreateObservableGauge("userfault.migration.paused", () => progress()?.State == MigrationState.Paused ? 1 : 0, null, "Does the guest wait for a source?");
        _meter.CreateObservableCounter("userfault.migration.faults", () => progress()?.Faults ?? 0, "faults", "vCPU faults that user space has resolved.");
        _meter.CreateObservableGauge("userfault.migration.waiting", () => progress()?.WaitingVcpus ?? 0, "vcpus", "vCPUs that wait for a page.");
        _meter.CreateObservableGauge("userfault.migration.fault.p50", () => (progress()?.P50Ns ?? 0) / 1e9, "seconds", "Median fault latency so far.");
        _meter.CreateObservableGauge("userfault.migration.fault.p99", () => (progress()?.P99Ns ?? 0) / 1e9, "seconds", "99th percentile of the fault latency so far.");
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?>[] Tags(HeldReplica held) =>
        [new("vm", held.Shape.Vm), new("slot", held.Shape.Slot.Raw.ToString(System.Globalization.CultureInfo.InvariantCulture))];
}
