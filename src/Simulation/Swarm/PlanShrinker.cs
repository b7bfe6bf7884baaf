namespace Userfault.Simulation;

/// <summary>
/// Finds a shorter plan that fails in the same way: faults are removed by delta debugging, then all other values are
/// reduced or simplified as long as the same checker fails.
/// </summary>
public static class PlanShrinker
{
    private static readonly Func<SwarmPlan, SwarmPlan>[] Steps =
    [
        p => p with { Vcpus = 1 },
        p => p with { Vcpus = Math.Max(1, p.Vcpus / 2) },
        p => p with { Vcpus = Math.Max(1, p.Vcpus - 1) },
        p => p with { Pages = Math.Max(1, p.Pages / 2) },
        p => p with { Pages = Math.Max(1, p.Pages * 3 / 4) },
        p => p with { Pages = Math.Max(1, p.Pages - 1) },
        p => p with { Accesses = Math.Max(1, p.Accesses / 2) },
        p => p with { Accesses = Math.Max(1, p.Accesses * 3 / 4) },
        p => p with { Accesses = Math.Max(1, p.Accesses - 1) },
        p => p with { SlotPages = 0 },
        p => p with { ZeroPercent = 0 },
        p => p with { HostAccesses = 0 },
        p => p with { HostAccesses = p.HostAccesses / 2 },
        p => p with { Locality = 0 },
        p => p with { Push = Actors.BackgroundOrder.None },
        p => p with { Fetchers = 1 },
        p => p with { Replicas = 1 },
        p => p with { Descriptors = 1 },
        p => p with { Readers = 1 },
        p => p with { Hedge = false },
        p => p with { TimeoutNs = 0 },
        p => p with { JitterNs = 0 },
        p => p with { AccessNs = 0 },
        p => p with { WritePercent = 0 },
        p => p with { Pattern = Pages.PatternKind.Sequential },
        p => p with { RequestPages = 1 },
        p => p with { PushChunk = 1 },
        p => p with { OrderWindow = 1 },
        p => p with { StepNs = 0 },
    ];

    /// <summary>Searches for the shortest failing run.</summary>
    /// <param name="failed">A run that failed.</param>
    /// <param name="mostRuns">Maximum number of runs.</param>
    /// <param name="cancelled">Ends the search early.</param>
    public static SwarmOutcome Shrink(SwarmOutcome failed, int mostRuns, CancellationToken cancelled = default)
    {
        ArgumentNullException.ThrowIfNull(failed);
        if (failed.Passed)
            throw new ArgumentException("a run that passed has nothing to shrink", nameof(failed));
        var search = new Search(failed, mostRuns, cancelled);
        do
        {
            search.Reset();
            Faults(search);
            foreach (var step in Steps)
            {
                while (search.Try(step(search.Best.Plan))) { }
            }

            Times(search);
        } while (search.Found > 0 && search.Goes);

        return search.Best;
    }

    // Delta debugging (ddmin): chunks of the list are removed, from half its length down to one.
    private static void Faults(Search search)
    {
        for (var chunk = Math.Max(1, search.Best.Plan.Faults.Count / 2); chunk >= 1 && search.Goes; chunk /= 2)
        {
            for (var from = 0; from < search.Best.Plan.Faults.Count; )
            {
                var faults = search.Best.Plan.Faults;
                IReadOnlyList<PlannedFault> rest = [.. faults.Take(from), .. faults.Skip(from + chunk)];
                if (!search.Try(search.Best.Plan with { Faults = rest }))
                    from += chunk;
            }
        }
    }

    private static void Times(Search search)
    {
        for (var i = 0; i < search.Best.Plan.Faults.Count; i++)
        {
            while (
                search.Best.Plan.Faults[i] is { ForNs: > 1_000 } fault
                && search.Try(Replace(search.Best.Plan, i, fault with { ForNs = fault.ForNs / 2 }))
            ) { }
        }
    }

    private static SwarmPlan Replace(SwarmPlan plan, int index, PlannedFault fault)
    {
        var faults = plan.Faults.ToArray();
        faults[index] = fault;
        return plan with { Faults = faults };
    }

    private sealed class Search(SwarmOutcome best, int mostRuns, CancellationToken cancelled)
    {
        private int _runs;

        public SwarmOutcome Best { get; private set; } = best;

        /// <summary>Shorter plans found in this pass.</summary>
        public int Found { get; private set; }

        public bool Goes => _runs < mostRuns && !cancelled.IsCancellationRequested;

        public void Reset() => Found = 0;

        public bool Try(SwarmPlan plan)
        {
            if (!Goes || plan == Best.Plan || (!plan.Overlapping && plan.Vcpus > plan.Pages))
                return false;
            _runs++;
            var outcome = SwarmRun.Of(plan);
            if (outcome.Violation?.Checker != Best.Violation!.Checker)
                return false;
            Best = outcome;
            Found++;
            return true;
        }
    }
}
