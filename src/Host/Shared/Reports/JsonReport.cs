using System.Text.Json;
using System.Text.Json.Serialization;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>
/// The report as JSON: one object whose fields are never renamed, and everything else under <c>details</c>. Units stand
/// in the names; what has none is pages or a count.
/// </summary>
internal static class JsonReport
{
    /// <summary>The form of all reports that leave fields without a value out.</summary>
    public static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static string Of(MigrationReport report, Backend backend, ClusterSummary? cluster, TimeSpan? compiled) =>
        JsonSerializer.Serialize(
            new
            {
                Verified = report.IsVerified,
                State = Units.NameOf(report.State),
                report.Reason,
                Arch = Units.NameOf(report.Settings.Architecture),
                Mode = Units.NameOf(report.Settings.Mode),
                Memory = ProgressView.MemoryName(report.Settings.Memory),
                Vcpus = report.Vcpus.Count,
                report.Pages,
                report.PagesPresent,
                Faults = report.Slots.UserfaultExits + report.Slots.UffdSleeps,
                report.Slots.Merged,
                Fetches = report.Fetches.DemandPages + report.Fetches.BackgroundPages,
                report.Fetches.BackgroundPages,
                ZeroPages = report.Fetches.Zero,
                DuplicatePages = report.Fetches.Duplicates,
                PagesPerSecond = ReportTable.PagesPerSecond(report),
                ElapsedMs = report.ElapsedNs / 1e6,
                CompletionMs = report.CompletionNs < 0 ? (double?)null : report.CompletionNs / 1e6,
                FaultLatencyUs = LatencyPercentiles.Of(report.Latency),
                StallMs = report.Vcpus.Select(vcpu => vcpu.StallNs / 1e6),
                cluster?.Nodes,
                cluster?.LostNodes,
                Details = Details(report, backend, compiled),
            },
            Options
        );

    private static object Details(MigrationReport report, Backend backend, TimeSpan? compiled) =>
        new
        {
            Backend = Units.NameOf(backend),
            report.Image,
            report.Workload,
            Background = Units.NameOf(report.Settings.Background),
            report.Settings.Seed,
            report.Settings.Fetchers,
            CompiledMs = compiled?.TotalMilliseconds,
            report.CompletionNs,
            report.GuestNs,
            Pauses = new { report.Pauses.Count, report.Pauses.TotalNs },
            Verification = report.Verification is { } v
                ? new
                {
                    v.Verified,
                    v.Wrong,
                    v.Skipped,
                    FirstWrong = v.FirstWrong?.Value,
                    report.ReadsChecked,
                    report.WrongReads,
                    report.IsByDigests,
                }
                : null,
            Faults = new
            {
                Outcomes = report.Slots.Outcomes,
                report.Slots.UserfaultExits,
                report.Slots.UffdSleeps,
                report.Slots.HostAccesses,
                report.Slots.HostSleeps,
                report.Slots.UffdResolves,
                report.Slots.UffdEexist,
                report.Slots.Flushes,
            },
            Placed = new
            {
                Demand = report.Slots.DemandPlaced,
                Background = report.Slots.BackgroundPlaced,
                report.Slots.LateDropped,
            },
            report.Fetches,
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
            Tables = new
            {
                // Whose they are: a real guest runs on the kernel's, which does not tell how large they are.
                Of = report.GuestLeaves is null ? "model" : "kernel",
                Leaves4K = report.GuestLeaves?.Leaves4K ?? report.Slots.Leaves4K,
                Leaves2M = report.GuestLeaves?.Leaves2M ?? report.Slots.Leaves2M,
                Leaves1G = report.GuestLeaves?.Leaves1G ?? report.Slots.Leaves1G,
                TableBytes = report.GuestLeaves is null ? report.Slots.TableBytes : (long?)null,
            },
            Timeline = report.Timeline.Select(t => new
            {
                t.ElapsedNs,
                t.PagesPresent,
                t.Faults,
                t.WaitingVcpus,
            }),
        };
}
