namespace Userfault.Mutants;

/// <summary>Restores of saved guests from the sources of a cluster: descriptions, digests, pages that arrive.</summary>
internal static class RestoreFromClusterMutants
{
    private const string Tests = "Qemu.Tests";
    private const string Format = "Qemu/Cluster/DescriptionFormat.cs";
    private const string Contents = "ClusterContentsTests.";
    private const string Descriptions = "GuestDescriptionTests.";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "description-hash-unchecked",
            "A guest's description is taken though it does not have the hash that it names.",
            Finder.Test(Tests, Descriptions + "A_description_of_which_any_byte_is_wrong_is_refused"),
            Format,
            "if (!hash.SequenceEqual(bytes[HashAt..HashEnd]))",
            "if (!BUG && !hash.SequenceEqual(bytes[HashAt..HashEnd]))"
        ),
        new(
            "description-of-any-image",
            "The description of another guest is taken for that of this one.",
            Finder.Test(Tests, Descriptions + "A_description_of_another_image_is_refused"),
            Format,
            "if (own != image)",
            "if (!BUG && own != image)"
        ),
        new(
            "description-bits-reversed",
            "In the bitmap of pages with content the first page is the highest bit of a byte.",
            Finder.Test(Tests, Descriptions + "What_is_written_is_read"),
            "Qemu/Cluster/GuestDescription.cs",
            "content[page / 8] |= (byte)(1 << (int)(page % 8));",
            "content[page / 8] |= (byte)(BUG ? 128 >> (int)(page % 8) : 1 << (int)(page % 8));"
        ),
        new(
            "restored-page-unchecked",
            "A page is given to the guest whatever its digest says.",
            Finder.Test(Tests, Contents + "A_page_that_is_not_as_its_digest_says_is_asked_of_another_source"),
            "Qemu/Cluster/ClusterContents.cs",
            "if (_digests.IsContent(batch[i]))",
            "if (BUG || _digests.IsContent(batch[i]))"
        ),
        new(
            "digests-of-any-image",
            "Digests are taken though they say that pages have content which the description says are zero.",
            // Which of two sources is asked first is chance.
            Finder.Test(Tests, Contents + "Digests_of_another_image_are_not_believed", maxRuns: 12),
            "Qemu/Cluster/ClusterDigests.cs",
            "if (IsRight(batch[i]))",
            "if (BUG || IsRight(batch[i]))"
        ),
        new(
            "digest-awaited-page-forgotten",
            "A page that waits for its digest is forgotten when another digest comes.",
            Finder.Test(Tests, Contents + "All_pages_come_from_the_sources_as_they_are"),
            "Qemu/Cluster/PagesByDigest.cs",
            "_pages[_kept++] = page;",
            "if (!BUG) _pages[_kept++] = page;"
        ),
        new(
            "arrived-page-not-handed-on",
            "Of the pages that one batch brings, as after a failover, only the first is handed on.",
            Finder.Test(Tests, Contents + "Pages_of_a_source_that_is_gone_come_from_another_one"),
            "Qemu/Cluster/HeldPages.cs",
            "arrived.Enqueue(batch[i].Page);",
            "if (!BUG || i == 0) arrived.Enqueue(batch[i].Page);"
        ),
        new(
            "batch-let-go-early",
            "The memory of a batch is let go when its first page has been read.",
            Finder.Test(Tests, Contents + "All_pages_come_from_the_sources_as_they_are"),
            "Qemu/Cluster/HeldPages.cs",
            "if (unread == 1)",
            "if (BUG || unread == 1)"
        ),
        new(
            "digest-demand-queues",
            "Digests that a guest waits for are made behind all that was asked for before.",
            Finder.Test(
                "DataPlane.Tests",
                "ManifestSourceTests.Digests_that_somebody_waits_for_are_made_in_the_middle_of_a_request_for_others"
            ),
            "Pages/Manifests/ManifestSource.cs",
            "if (!job.IsDemand)",
            "if (!BUG && !job.IsDemand)"
        ),
    ];
}
