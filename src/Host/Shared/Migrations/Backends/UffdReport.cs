using System.Globalization;
using System.Text.Json;
using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>The report of a migration into real memory: what its guest saw, and what its handler has said.</summary>
internal static class UffdReport
{
    public static MigrationReport Of(
        RunInputs inputs,
        MigrationSettings migration,
        GuestReport guest,
        JsonElement vm,
        WorkingSet? set
    )
    {
        long Count(string name) => vm.ValueKind == JsonValueKind.Undefined ? 0 : vm.GetProperty(name).GetInt64();
        var isOver = guest.IsGood && (ulong)guest.Checked == inputs.Image.Pages;
        return new MigrationReport
        {
            State = isOver ? MigrationState.Completed : MigrationState.Failed,
            Reason = guest.Problem,
            Settings = migration,
            Image = inputs.Image.Name,
            Workload = inputs.Workload.Name,
            Pages = inputs.Image.Pages,
            PagesPresent = (ulong)Count("pagesPresent"),
            CompletionNs =
                vm.ValueKind != JsonValueKind.Undefined
                && vm.GetProperty("completionMs") is { ValueKind: JsonValueKind.Number } ms
                    ? (long)(ms.GetDouble() * 1e6)
                    : -1,
            GuestNs = guest.TouchedNs,
            ElapsedNs = guest.ElapsedNs,
            Slots = new SlotCounters
            {
                UffdSleeps = Count("faults"),
                DemandPlaced = Count("demandPages"),
                BackgroundPlaced = Count("backgroundPages"),
                UffdEexist = Count("eexist"),
                UffdResolves = Count("demandPages") + Count("backgroundPages"),
            },
            Fetches = default(FetchCounters) with
            {
                DemandPages = Count("demandPages"),
                BackgroundPages = Count("backgroundPages"),
                Requests = Count("fetches"),
                Delivered = Count("demandPages") + Count("backgroundPages"),
                Zero = Count("zeroPages"),
                Late = Count("droppedPages"),
            },
            Fetchers = [],
            Vcpus = [.. Enumerable.Range(0, inputs.Workload.Vcpus).Select(i => VcpuOf(inputs.Workload, i, guest, vm))],
            Latency = guest.Latency,
            Verification =
                guest.Checked == 0
                    ? null
                    : new VerifyResult(
                        (ulong)(guest.Checked - guest.Wrong),
                        0,
                        (ulong)guest.Wrong,
                        guest.FirstWrong is { } wrong ? new MemoryPage(wrong) : null
                    ),
            Timeline = [],
            WorkingSet = set,
        };
    }

    // What a stream holds, where all of it was touched, and what the handler saw of its thread.
    private static VcpuReport VcpuOf(IWorkload workload, int vcpu, GuestReport guest, JsonElement vm)
    {
        var own = guest.Vcpus[vcpu];
        var faults =
            vm.ValueKind != JsonValueKind.Undefined
            && vm.GetProperty("faultsByThread")
                .TryGetProperty(own.ThreadId.ToString(CultureInfo.InvariantCulture), out var count)
                ? count.GetInt64()
                : 0;
        long reads = 0,
            writes = 0;
        var stream = workload.Open(vcpu);
        while (guest.TouchedNs >= 0 && stream.TryNext(out var access))
        {
            if (access.Kind == Access.Write)
                writes++;
            else
                reads++;
        }

        return new VcpuReport(
            vcpu,
            reads + writes,
            reads,
            writes,
            0,
            faults,
            0,
            0,
            guest.TouchedNs,
            own.Latency,
            default
        );
    }

    /// <summary>Behind the workload's pages the handler recorded those that the verification waited for.</summary>
    public static WorkingSet GuestsOwn(WorkingSet recorded, IWorkload workload)
    {
        var touched = new HashSet<ulong>();
        for (var vcpu = 0; vcpu < workload.Vcpus; vcpu++)
        {
            var stream = workload.Open(vcpu);
            while (stream.TryNext(out var access))
                touched.Add(access.Gfn.Value);
        }

        var left = (ulong)touched.Count;
        List<MemoryPageRange> runs = [];
        foreach (var run in recorded.Runs)
        {
            if (left == 0)
                break;
            runs.Add(run with { Count = Math.Min(left, run.Count) });
            left -= runs[^1].Count;
        }

        return new WorkingSet(recorded.Image, recorded.ImagePages, runs);
    }
}
