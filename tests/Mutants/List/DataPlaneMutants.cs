namespace Userfault.Mutants;

/// <summary>The page data plane: frames, checksums, windows, requests and their numbers.</summary>
internal static class DataPlaneMutants
{
    private const string Tests = "Paging.Tests";
    private const string Crc32C = "Paging/Content/Crc32C.cs";
    private const string Assembler = "Paging/DataPlane/Wire/FrameAssembler.cs";
    private const string Book = "Paging/DataPlane/Client/RequestBook.cs";
    private const string Table = "Paging/DataPlane/Server/RequestTable.cs";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new("crc-lanes-swapped", "The four lanes of a checksum are joined in the wrong order.",
            Finder.Test(Tests, "Userfault.Paging.Tests.Content.Crc32CTests.Any_length_agrees_with_the_bitwise_definition"),
            Crc32C, "Shift(PastLane, Shift(PastLane, Shift(PastLane, a) ^ b) ^ c) ^ d", "Shift(PastLane, Shift(PastLane, Shift(PastLane, a) ^ c) ^ b) ^ d"),
        new("crc-joined-by-lane", "Checksums of pages are joined as if a page were one lane.",
            Finder.Test(Tests, "Userfault.Paging.Tests.Content.Crc32CTests.Pages_are_joined_by_their_checksums_alone"),
            Crc32C, "Shift(PastPage, head) ^ page", "Shift(PastLane, head) ^ page"),
        new("frame-cut-at-header", "A frame that is split between two reads is taken for whole without its last eight bytes.",
            Finder.Test(Tests, "Userfault.Paging.Tests.DataPlane.WireGoldenTests.Frames_are_found_wherever_the_stream_is_cut"),
            Assembler, """
                Take(ref input, size);
                if (_have < size)
                """, """
                Take(ref input, BUG ? header.PayloadBytes : size);
                if (_have < (BUG ? header.PayloadBytes : size))
                """),
        new("dedup-window-short", "The client's ring of kept pages is a page shorter than the server's.",
            Finder.Test(Tests, "Userfault.Paging.Tests.DataPlane.RoundTripTests.Every_page_arrives_as_it_is_whatever_the_ranges_and_the_transport"),
            "Paging/DataPlane/Client/KeptPages.cs", "_next = _next + 1 == window ? 0 : _next + 1;", "_next = _next + 2 >= window ? 0 : _next + 1;"),
        new("slot-number-kept", "A slot of the request table has the same number at its next use: an old answer passes for a new one.",
            Finder.Test(Tests, "Userfault.Paging.Tests.DataPlane.HostileServerTests.An_old_answer_is_not_taken_for_that_to_a_new_request_for_the_same_pages"),
            Book, "piece.Number += 1u << SlotBits;", ""),
        new("client-window-leaks", "Pages whose request was answered go on filling the client's window.",
            Finder.Test(Tests, "Userfault.Paging.Tests.DataPlane.RoundTripTests.Bounds_hold_both_ends_and_more_than_fits_just_waits"),
            Book, "_pages -= piece.PageCount;", ""),
        new("server-window-unchecked", "A server takes more pages from one client than was agreed.",
            Finder.Test(Tests, "Userfault.Paging.Tests.DataPlane.HostileClientTests.A_client_that_breaks_the_agreement_is_refused_with_one_line"),
            Table, "entry.PageCount > maxRequestPages || _pages + entry.PageCount > maxPages", "entry.PageCount > maxRequestPages"),
        new("server-window-leaks", "Requests that were answered go on counting against what was agreed.",
            Finder.Test(Tests, "Userfault.Paging.Tests.DataPlane.RequestTableTests.What_ended_is_off_both_bounds"),
            Table, "_requests--;", ""),
        new("reserved-bits-taken", "A reserved bit of a request is taken without a word.",
            Finder.Test(Tests, "Userfault.Paging.Tests.DataPlane.HostileClientTests.A_client_that_breaks_the_agreement_is_refused_with_one_line"),
            "Paging/DataPlane/Wire/RequestEntry.cs", "return tail <= 1;", "return true;"),
    ];
}
