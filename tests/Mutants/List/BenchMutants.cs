namespace Userfault.Mutants;

/// <summary>The measure of other handlers: its turns, and what it finds wrong.</summary>
internal static class BenchMutants
{
    private const string Tests = "Host.Tests";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "bench-content-unseen",
            "Pages with other content than the image are compared and not counted.",
            Finder.Test(Tests, "HandlerBenchCommandTests.Wrong_content_is_found"),
            "Host/Bench/Turns/ContentCheck.cs",
            "Wrong++;",
            ""
        ),
        new(
            "bench-failed-goes-on",
            "A handler that has failed gets more turns.",
            Finder.Test(Tests, "HandlerBenchTests.A_handler_that_fails_gets_no_more_turns"),
            "Host/Bench/HandlerBench.cs",
            "_failed.Add(handler.Name);",
            ""
        ),
        new(
            "bench-monitor-unseen",
            "The end of the process of a turn by a signal counts as a mistake of the caller.",
            Finder.Test(Tests, "HandlerBenchCommandTests.A_handler_that_ends_its_monitor_does_not_end_the_bench"),
            "Host/Bench/Turns/TurnProcess.cs",
            "signal > 0",
            "false"
        ),
        new(
            "bench-first-page-twice",
            "The first page, which is in place, is in a toucher's share as well.",
            Finder.Test(Tests, "HandlerBenchTests.Every_page_is_in_one_share"),
            "Host/Bench/Turns/PageOrder.cs",
            "1 + (int)(count * toucher / touchers)",
            "(int)(count * toucher / touchers)"
        ),
    ];
}
