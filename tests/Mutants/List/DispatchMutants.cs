namespace Userfault.Mutants;

/// <summary>The event loop: one thread, its queues, and its clock.</summary>
internal static class DispatchMutants
{
    private const string Loop = "Actors/Dispatch/EventLoop.cs";
    private const string Tests = "Actors.Tests";
    private const string Spec = "Dispatch.EventLoopDispatcherSpec";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "loop-due-hidden",
            "What is entered last at the loop's clock hides what is due before it.",
            Finder.Test(Tests, $"{Spec}.What_is_due_is_not_hidden_by_what_is_entered_later_and_due_in_an_hour"),
            Loop,
            "_nextDueNs = Math.Min(_nextDueNs, dueNs);",
            "_nextDueNs = dueNs;"
        ),
        new(
            "loop-sleeps-past-due",
            "A loop without work sleeps until a message comes, whatever is due.",
            Finder.Test(Tests, $"{Spec}.What_is_due_is_told_in_the_order_of_its_time_and_never_early"),
            Loop,
            "if (_nextDueNs == long.MaxValue) _bell.Wait(Doorbell.Forever);",
            "if (BUG || _nextDueNs == long.MaxValue) _bell.Wait(Doorbell.Forever);"
        ),
        new(
            "loop-tells-early",
            "What is due is told as early as the thread would have to wake for it.",
            Finder.Test(Tests, $"{Spec}.What_is_due_is_told_in_the_order_of_its_time_and_never_early", maxRuns: 20),
            Loop,
            "NowNs is var nowNs && nowNs < _nextDueNs",
            "NowNs + (BUG ? WakeNs : 0) is var nowNs && nowNs < _nextDueNs"
        ),
        new(
            "loop-never-woken",
            "A post from another thread does not wake a loop that has parked.",
            Finder.Test(Tests, $"{Spec}.It_parks_and_wakes_for_every_message"),
            Loop,
            "if (_parked) _bell.Ring();",
            ""
        ),
    ];
}
