using System.Text.Json;
using System.Text.Json.Serialization;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>The report as JSON. Durations are ns, sizes pages unless their names say otherwise; a field is never renamed.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static string Of(MigrationReport report, ClusterSummary? cluster = null) => JsonSerializer.Serialize(
        new
        {
            Version = 1,
            State = Units.NameOf(report.State),
            report.Reason,
            Verified = report.IsVerified,
            report.Image,
            report.Workload,
            Arch = Units.NameOf(report.Settings.Architecture),
            Mode = Units.NameOf(report.Settings.Mode),
            Memory = ProgressView.MemoryName(report.Settings.Memory),
            Background = Units.NameOf(report.Settings.Background),
            report.Settings.Seed,
            report.Settings.Fetchers,
            cluster?.Nodes,
            cluster?.LostNodes,
            report.Pages,
            report.PagesPresent,
            report.CompletionNs,
            report.GuestNs,
            report.ElapsedNs,
            PagesPerSecond = ReportTable.PagesPerSecond(report),
            Pauses = new { report.Pauses.Count, report.Pauses.TotalNs },
            Verification = report.Verification is { } v
                ? new { v.Verified, v.Wrong, v.Skipped, FirstWrong = v.FirstWrong?.Value, report.ReadsChecked, report.WrongReads }
                : null,
            Faults = new
            {
                Outcomes = report.Slots.Outcomes,
                report.Slots.UserfaultExits,
                report.Slots.UffdSleeps,
                report.Slots.Merged,
                report.Slots.HostAccesses,
                report.Slots.HostSleeps,
                report.Slots.UffdResolves,
                report.Slots.UffdEexist,
                report.Slots.Flushes,
            },
            Placed = new { Demand = report.Slots.DemandPlaced, Background = report.Slots.BackgroundPlaced, report.Slots.LateDropped },
            Fetches = report.Fetches,
            Latency = Latency(report),
            Vcpus = report.Vcpus.Select(vcpu => new
            {
                vcpu.Vcpu,
                vcpu.Accesses,
                vcpu.Reads,
                vcpu.Writes,
                vcpu.WrongReads,
                vcpu.Faults,
                vcpu.Mmio,
                vcpu.StallNs,
                vcpu.FinishedNs,
            }),
            Tables = new { report.Slots.Leaves4K, report.Slots.Leaves2M, report.Slots.Leaves1G, report.Slots.TableBytes },
            Timeline = report.Timeline.Select(t => new { t.ElapsedNs, t.PagesPresent, t.Faults, t.WaitingVcpus }),
        },
        Options);

    private static object Latency(MigrationReport report) => new
    {
        report.Latency.Count,
        P50Ns = report.Latency.PercentileNs(50),
        P90Ns = report.Latency.PercentileNs(90),
        P99Ns = report.Latency.PercentileNs(99),
        P999Ns = report.Latency.PercentileNs(99.9),
        report.Latency.MaxNs,
        report.Latency.MeanNs,
    };
}
