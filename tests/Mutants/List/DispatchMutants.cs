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
        new(
            "loop-reads-when-idle-alone",
            "A loop reads its descriptors before it sleeps and not when they wake it.",
            Finder.Test(Tests, $"{Spec}.It_reads_descriptors_on_its_thread_between_messages_and_while_it_is_parked"),
            "Actors/Dispatch/Readables.cs",
            "bell.Watch(descriptors);",
            "if (!BUG) bell.Watch(descriptors);"
        ),
        new(
            "loop-end-untold",
            "A loop ends and leaves its connections waiting for it.",
            Finder.Test(Tests, $"{Spec}.Its_end_is_told_to_what_it_reads"),
            "Actors/Dispatch/Readables.cs",
            "readable.OnLoopEnded();",
            ""
        ),
        new(
            "loop-turn-unsent",
            "What was requested in a turn of the loop is sent when something arrives.",
            Finder.Test("DataPlane.Tests", "LoopTests.What_is_asked_for_in_one_turn_of_the_loop_goes_out_in_one_frame"),
            "DataPlane/Client/PageClient.Receiving.cs",
            "client.Flush(isLast: true);",
            ""
        ),
        new(
            "loop-closes-elsewhere",
            "A client that ends leaves its descriptor on the loop.",
            Finder.Test("DataPlane.Tests", "LoopTests.A_client_may_be_closed_anywhere"),
            "DataPlane/Client/PageClient.Receiving.cs",
            "loop.Remove(this);",
            ""
        ),
    ];
}
