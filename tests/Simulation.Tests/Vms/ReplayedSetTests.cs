using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Simulation.Tests;

/// <summary>
/// Working sets on a real guest's first touches and on other runs of it, in virtual time: what is recorded of some runs
/// is held against another one. Counted, so the same on every machine.
/// </summary>
public sealed class ReplayedSetTests
{
    private const int Target = 9;

    private static readonly TraceWorkload Sample = TraceWorkload.Load(
        Path.Combine(AppContext.BaseDirectory, "samples", "linux-4vcpu.touch.csv.gz"),
        ReplayRun.Pages
    );

    private static readonly Lazy<(string Name, WorkingSet Set)[]> Recordings = new(() =>
        [.. Enumerable.Range(1, 4).Select(seed => ($"{seed}", Run(seed, BackgroundOrder.None).Recorded))]
    );

    [Theory]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    public void Merged_recordings_hold_more_of_another_run_than_one_does(int target)
    {
        var wanted = Run(target, BackgroundOrder.None).Recorded;
        var one = Recordings.Value[0].Set;
        var merged = new WorkingSetMerge().Of(Recordings.Value);
        var bounded = merged.Limit(one.TouchedPages);
        var (missedByOne, missed, missedByBounded) = (
            ReplayRun.Missed(wanted, one),
            ReplayRun.Missed(wanted, merged),
            ReplayRun.Missed(wanted, bounded)
        );
        Assert.InRange(missedByOne, 0.1, 0.25);
        Assert.True(missed < 0.6 * missedByOne, $"{missed:0.000} of one {missedByOne:0.000}");
        // As many pages as one recording has: those that were wanted most.
        Assert.Equal(one.TouchedPages, bounded.TouchedPages);
        Assert.True(missedByBounded < 0.65 * missedByOne, $"{missedByBounded:0.000} of one {missedByOne:0.000}");
        // Pages that were wanted seldom are what the limit leaves out.
        Assert.True(bounded.Entries.Min(static e => e.Weight) >= merged.Entries.Min(static e => e.Weight));
    }

    [Fact]
    public void A_recording_of_the_same_run_leaves_next_to_nothing_to_wait_for()
    {
        var alone = Run(1, BackgroundOrder.None);
        var replayed = Run(1, BackgroundOrder.Recorded, Recordings.Value[0].Set);
        // Several vCPUs may wait for one page.
        Assert.True((long)alone.Recorded.TouchedPages <= alone.Waits);
        Assert.True(replayed.Waits < alone.Waits / 10, $"{replayed.Waits} of {alone.Waits} faults wait");
    }

    // Demand that a replay delays would wait longer than without one. On a path without limit it waits exactly as long.
    [Theory]
    [InlineData(0)]
    [InlineData(10_000_000_000)]
    public void A_replay_does_not_delay_demand(long bitsPerSecond)
    {
        var merged = new WorkingSetMerge().Of(Recordings.Value);
        var alone = Run(Target, BackgroundOrder.None, null, bitsPerSecond);
        var pushed = Run(Target, BackgroundOrder.Sequential, null, bitsPerSecond);
        var replayed = Run(Target, BackgroundOrder.Recorded, merged, bitsPerSecond);
        // Pages that have left the source cannot be overtaken: that is what is permitted, and no more than by any push.
        var permittedNs = bitsPerSecond == 0 ? 0 : new FetchSettings().DemandDelayNs;
        Assert.True(replayed.P99Ns <= alone.P99Ns + permittedNs, $"{replayed} against {alone}");
        Assert.True(replayed.MaxNs <= alone.MaxNs + permittedNs, $"{replayed} against {alone}");
        Assert.True(replayed.P99Ns <= pushed.P99Ns * 1.05, $"{replayed} against {pushed}");
        Assert.True(replayed.Waits < alone.Waits / 10, $"{replayed.Waits} of {alone.Waits} faults wait");
        Assert.True(replayed.Waits < pushed.Waits / 2, $"{replayed.Waits}, and {pushed.Waits} with a push alone");
    }

    private static ReplayRun Run(
        int seed,
        BackgroundOrder background,
        WorkingSet? replay = null,
        long bitsPerSecond = 10_000_000_000
    ) => ReplayRun.Of(new AnotherRun(Sample, ReplayRun.Pages, seed), background, replay, bitsPerSecond);
}
