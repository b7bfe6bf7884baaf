namespace Userfault.Mutants;

/// <summary>Working sets: merged, aged, bounded, read from files and nodes, replayed.</summary>
internal static class WorkingSetMutants
{
    private const string Set = "Pages/WorkingSets/WorkingSet.cs";
    private const string Merge = "Pages/WorkingSets/WorkingSetMerge.cs";
    private const string Format = "Pages/WorkingSets/WorkingSetFormat.cs";
    private const string Merged = "WorkingSets.WorkingSetMergeTests";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "working-set-unlimited",
            "The limit of a replay is ignored.",
            OfMerge("A_limit_keeps_what_is_wanted_most_and_of_that_what_is_wanted_first_in_order"),
            Set,
            "TouchedPages <= maxPages",
            "BUG || TouchedPages <= maxPages"
        ),
        new(
            "working-set-limited-by-order",
            "A limit keeps what was wanted first, however seldom.",
            OfMerge("A_limit_keeps_what_is_wanted_most_and_of_that_what_is_wanted_first_in_order"),
            Set,
            ".OrderByDescending(i => Entries[i].Weight)",
            ".OrderByDescending(i => BUG ? 0 : Entries[i].Weight)"
        ),
        new(
            "working-set-foreign",
            "A working set of another image is taken.",
            Finder.Test("Pages.Tests", "WorkingSets.WorkingSetTests.A_set_of_another_image_is_refused"),
            Set,
            "Image.IsSameSample(image) && ImagePages == imagePages",
            "BUG || (Image.IsSameSample(image) && ImagePages == imagePages)"
        ),
        new(
            "working-set-of-any-node",
            "What a node sends is taken, whatever image it was recorded on.",
            Finder.Test("DataPlane.Tests", "WorkingSetDownloadTests.What_is_no_working_set_of_this_image_is_refused"),
            "DataPlane/Client/WorkingSetDownload.cs",
            "set.RequireImage(client.Name, image, imagePages, \"the image that is served\");",
            ";"
        ),
        new(
            "working-set-ageless",
            "Old recordings count as much as new ones.",
            OfMerge("A_page_counts_as_often_as_it_was_wanted_and_older_recordings_count_less"),
            Merge,
            "(ulong)((entry.Weight * decay) + 0.5)",
            "entry.Weight"
        ),
        new(
            "working-set-merge-ages-once",
            "A set of several recordings ages an older one by one recording alone.",
            OfMerge("Sets_that_were_merged_before_age_older_ones_by_all_their_recordings"),
            Merge,
            "-newer.Recordings / halfLife",
            "-1 / halfLife"
        ),
        new(
            "working-set-never-forgets",
            "A page that no guest wants any more stays for ever.",
            OfMerge("A_page_that_is_not_wanted_any_more_falls_out"),
            Merge,
            "entry.Weight >= MinWeight",
            "true"
        ),
        new(
            "working-set-by-weight",
            "What was wanted most is replayed first, and not what was wanted first.",
            OfMerge("The_order_is_that_of_first_touch_however_often"),
            Merge,
            ".OrderBy(static entry => entry.Rank / PagesPerStep)",
            ".OrderBy(static entry => BUG ? ulong.MaxValue - entry.Weight : entry.Rank / PagesPerStep)"
        ),
        new(
            "working-set-torn",
            "Neighbours whose mean ranks differ a little are replayed one by one.",
            OfMerge("Neighbours_that_are_wanted_at_one_moment_stay_together"),
            Merge,
            "const ulong PagesPerStep = 64;",
            "static readonly ulong PagesPerStep = BUG ? 1UL : 64;"
        ),
        new(
            "working-set-page-twice",
            "A page that a file names twice is not noticed.",
            Finder.Test("Pages.Tests", "WorkingSets.WorkingSetTests.A_hostile_file_is_refused_by_name"),
            Format,
            "pages.Start.Value < end",
            "!BUG && pages.Start.Value < end"
        ),
        new(
            "working-set-impossible",
            "A file may say that a page was wanted more often than there were recordings.",
            Finder.Test("Pages.Tests", "WorkingSets.WorkingSetTests.A_hostile_merged_file_is_refused_by_name"),
            Format,
            "entry.Times <= recordings",
            "(BUG || entry.Times <= recordings)"
        ),
        new(
            "working-set-boundless",
            "A node may announce a working set of any size.",
            Finder.Test("DataPlane.Tests", "WorkingSetDownloadTests.What_is_no_working_set_of_this_image_is_refused"),
            "DataPlane/Client/WorkingSetDownload.cs",
            "(length + Page.Size - 1) >> Page.Shift != client.Pages",
            "!BUG && (length + Page.Size - 1) >> Page.Shift != client.Pages"
        ),
        new(
            "working-set-early-state",
            "A destination replays the earliest state that a node has.",
            Finder.Test(
                "Host.Tests",
                "Cluster.SharedWorkingSetTests.A_destination_replays_the_latest_set_that_a_source_has"
            ),
            "Host/Shared/Sources/SharedWorkingSets.cs",
            "(than.Generation, than.Recordings)) > 0",
            "(than.Generation, than.Recordings)) * (BUG ? -1 : 1) > 0"
        ),
        new(
            "working-set-never-looked-at-again",
            "A source goes on offering the state that its working set's file had at its start.",
            Finder.Test(
                "Host.Tests",
                "Cluster.SharedWorkingSetTests.A_destination_replays_the_latest_set_that_a_source_has"
            ),
            "Host/Node/WorkingSetOffer.cs",
            "_server!.Replace(OfferOf(set, image));",
            "_server!.Add(OfferOf(set, image));"
        ),
        new(
            "replay-limit-ignored",
            "--replay-limit changes nothing.",
            Finder.Test(
                "Host.Tests",
                "Serve.RecordingTests.Recordings_of_several_guests_are_merged_and_replayed_up_to_a_limit"
            ),
            "Host/Shared/Inputs/ReplayOptions.cs",
            "MaxPages(result) is { } max ? set.Limit(max) : set;",
            "!BUG && MaxPages(result) is { } max ? set.Limit(max) : set;"
        ),
        new(
            "record-merge-replaces",
            "The recording of the last VM replaces those of all others.",
            Finder.Test(
                "Host.Tests",
                "Serve.RecordingTests.Recordings_of_several_guests_are_merged_and_replayed_up_to_a_limit"
            ),
            "Handler/Sessions/PageSupply.cs",
            "if (MergesRecord)",
            "if (!BUG && MergesRecord)"
        ),
        new(
            "replay-before-demand",
            "Pages that are replayed are requested as if vCPUs waited for them.",
            Finder.Test("Simulation.Tests", "ReplayedSetTests.A_replay_does_not_delay_demand"),
            "Actors/Memslots/MemslotActor.cs",
            """
            if (ranges is not null)
                        _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Background, ranges));
            """,
            """
            if (ranges is not null)
                        _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Demand, ranges));
            """
        ),
    ];

    private static Finder OfMerge(string method) => Finder.Test("Pages.Tests", $"{Merged}.{method}");
}
