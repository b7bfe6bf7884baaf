using System.Text.Json;
using Userfault.Handler;

namespace Userfault.Cli;

/// <summary>
/// What a handler tells at its end, as JSON. Units stand in the names; what has none is pages or a count.
/// </summary>
internal static class ServeReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    public static string Of(PageSupply pages, IReadOnlyList<VmReport> vms, long linesLost) =>
        JsonSerializer.Serialize(
            new
            {
                Image = pages.Identity.ToString(),
                pages.PageCount,
                LinesLost = linesLost,
                Vms = vms.Select(Of),
            },
            Options
        );

    /// <summary>How a handler stands now: VMs that are served, and the last ones that ended.</summary>
    public static string Now(HandlerServer server)
    {
        const int lastEnded = 64;
        var vms = server.Report();
        var ended = vms.Count(vm => vm.End != PagerEnd.None);
        return JsonSerializer.Serialize(
            new
            {
                Process = Environment.ProcessId,
                Image = server.Pages.Identity.ToString(),
                server.Pages.Name,
                server.Pages.PageCount,
                Standby = server.HasStandby,
                LinesLost = server.Options.Log.Lost,
                Vms = vms.Skip(Math.Max(0, ended - lastEnded)).Select(Of),
            },
            Options
        );
    }

    private static object Of(VmReport vm) =>
        new
        {
            vm.Id,
            vm.MonitorPid,
            vm.Pages,
            vm.SecretFree,
            End = Units.NameOf(vm.End),
            vm.Reason,
            PagesPresent = (long)vm.Pages - vm.Counters.MissingPages - vm.Counters.LeftPages,
            vm.Counters.Faults,
            vm.Counters.StaleFaults,
            vm.Counters.Requests,
            vm.Counters.DemandPages,
            vm.Counters.BackgroundPages,
            vm.Counters.ZeroPages,
            // Which way they went.
            vm.Counters.CopiedPages,
            vm.Counters.ContinuedPages,
            vm.Counters.RemovedPages,
            vm.Counters.RemovedTouched,
            vm.Counters.UnmappedPages,
            vm.Counters.WriteProtectedFaults,
            vm.Counters.Eexist,
            vm.Counters.Eagain,
            vm.Counters.Deferred,
            vm.Counters.Fetches,
            vm.Counters.FailedFetches,
            vm.Counters.PromotedPages,
            vm.Counters.HedgedPages,
            vm.Counters.RetriedPages,
            vm.Counters.LatePages,
            vm.Counters.DroppedPages,
            vm.AllocatedBytes,
            ElapsedMs = vm.ElapsedNs / 1e6,
            CompletionMs = vm.CompleteNs < 0 ? (double?)null : vm.CompleteNs / 1e6,
            PagesPerSecond = vm.CompleteNs <= 0 ? (double?)null : vm.Pages / (vm.CompleteNs / 1e9),
            FaultLatencyUs = LatencyPercentiles.Of(vm.Latency),
            // Threads of the monitor, where it asked its userfaultfd to tell them.
            FaultsByThread = vm.Counters.Threads.Counts(),
        };
}
