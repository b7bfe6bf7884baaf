namespace Userfault.Mutants;

/// <summary>The source's side of QEMU's post-copy migration.</summary>
internal static class QemuMutants
{
    private const string Core = "Qemu/Postcopy/PostcopyCore.cs";
    private const string Push = "Qemu/Postcopy/PostcopyCore.Push.cs";
    private const string Ram = "Qemu/Postcopy/GuestRam.cs";
    private const string Fetches = "Qemu/Postcopy/PageFetches.cs";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "postcopy-without-discard",
            "Blocks are not discarded before LISTEN.",
            OfCore("Everything_arrives_once_and_it_ends_in_order"),
            Core,
            "writer.Discard(block.Name, block.Bytes);",
            ";"
        ),
        new(
            "postcopy-waits-for-run",
            "Requests are answered only when the devices are loaded.",
            OfCore("Requests_are_answered_before_the_guest_runs"),
            Core,
            "Phase is not (PostcopyPhase.Loading or PostcopyPhase.Running)",
            "Phase is not PostcopyPhase.Running"
        ),
        new(
            "postcopy-page-sent-twice",
            "A page that was pushed is sent again when its request comes late.",
            OfCore("A_request_that_crosses_its_page_is_dropped"),
            new Rewrite(
                "Qemu/Postcopy/RequestQueue.cs",
                "!ram.IsSent(unit.Start) && _queued.Add(unit.Start.Value)",
                "_queued.Add(unit.Start.Value)"
            ),
            new Rewrite(
                "Qemu/Postcopy/RequestQueue.cs",
                """
                if (!ram.IsSent(unit.Start))
                                return true;
                """,
                "return true;"
            )
        ),
        new(
            "postcopy-end-without-ping",
            "The end is sent while answers may be unread on the second channel.",
            OfCore("The_end_waits_until_the_second_channel_is_read"),
            Push,
            """
            if (_isEndPingOut)
                            return WrittenKind.Nothing;
                        (_isEndPingOut, _wereAnswersRead) = (true, AreAnswersRead());
                        new StreamWriter(main).Ping(EndPing);
                        return WrittenKind.Ping;
            """,
            ";"
        ),
        new(
            "postcopy-end-with-unsent-zeros",
            "With a second channel the end is sent while zero pages may still be requested.",
            OfCore("With_a_second_channel_zero_pages_are_sent_before_the_end"),
            Push,
            "!_areZerosSent",
            "false"
        ),
        new(
            "postcopy-pushes-zeros",
            "Zero pages are pushed.",
            OfCore("What_is_not_requested_and_zero_is_not_sent"),
            "Qemu/Postcopy/PushCursor.cs",
            "!withZeros && contents.IsZero(page)",
            "false"
        ),
        new(
            "postcopy-recovery-trusts-itself",
            "What was sent and lost is not sent again after a recovery.",
            OfCore("A_recovery_over_the_same_core_sends_what_was_lost"),
            Ram,
            "_sent[word] &= ~bit;",
            ";"
        ),
        new(
            "postcopy-half-huge-page",
            "Of a huge page only the page that was requested is sent.",
            OfCore("Blocks_on_huge_pages_are_sent_in_whole_pages"),
            Ram,
            """
            return new MemoryPageRange(
                        new MemoryPage(start), Math.Min(size, _blocks[block].Range.End.Value - start));
            """,
            "return new MemoryPageRange(page, 1);"
        ),
        new(
            "postcopy-late-demand-is-push",
            "A page that is fetched ahead stays behind others when it is requested.",
            Late("Demand_overtakes_what_is_fetched_ahead"),
            Fetches,
            "_ = CountMissing(unit, FetchPriority.Demand);",
            ";"
        ),
        new(
            "postcopy-huge-page-in-part",
            "A huge page is sent when the first of its pages is here.",
            Late("A_huge_page_is_sent_when_all_of_it_is_here"),
            Fetches,
            "known.Missing > 1",
            "false"
        ),
        new(
            "postcopy-window-leaks",
            "A page that was fetched ahead and then requested keeps its place among those that are fetched ahead.",
            Late("Demand_overtakes_what_is_fetched_ahead"),
            Fetches,
            """
            Demanded++;
                            PushPages -= unit.Count;
            """,
            "Demanded++;"
        ),
        new(
            "postcopy-recovery-forgets-fetches",
            "Requests that were waiting for their page are counted after the connection broke.",
            Late("A_recovery_goes_on_with_what_is_on_its_way"),
            Fetches,
            "Demanded = 0;",
            ";"
        ),
    ];

    private static Finder OfCore(string test) => Finder.Test("Qemu.Tests", $"PostcopyCoreTests.{test}");

    private static Finder Late(string test) => Finder.Test("Qemu.Tests", $"LateContentsTests.{test}");
}
