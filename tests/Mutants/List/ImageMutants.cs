namespace Userfault.Mutants;

/// <summary>Images and traces as files: their ranges, holes, kinds, changes and identities.</summary>
internal static class ImageMutants
{
    private const string Pages = "Pages.Tests";
    private const string Handler = "Handler.Tests";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "holes-are-data",
            "What a sparse file has no data for counts as data: a terabyte of zeros is read.",
            Finder.Test(Pages, "Images.FileImageTests.Holes_are_known_without_being_read"),
            "Pages/Images/FileImage.cs",
            "SegmentMap.WithoutHoles(segments, extents)",
            "segments"
        ),
        new(
            "hole-takes-its-seams",
            "A hole takes the pages at its ends with it, of which the file has data.",
            Finder.Test(Pages, "Images.FileImageTests.Holes_of_a_core_that_do_not_lie_by_pages_lose_nothing"),
            "Pages/Images/SegmentMap.cs",
            "address == end ? end : address & ~Page.OffsetMask",
            "PageUp(address)"
        ),
        new(
            "any-kind-of-file",
            "A pipe or a device without a size is taken for an image.",
            Finder.Test(Pages, "Images.FileImageTests.A_pipe_is_refused_and_not_waited_for"),
            "Pages/Images/MappedFile.cs",
            "stamp.Kind is not (FileKind.Regular or FileKind.BlockDevice)",
            "false"
        ),
        new(
            "time-set-back-unseen",
            "A file whose time was set back after it was written to counts as unchanged.",
            Finder.Test(Pages, "Images.ImageChangeTests.A_time_that_is_set_back_hides_no_change"),
            "Pages/Images/FileChanges.cs",
            "now.ChangedNs != seen.ChangedNs",
            "false"
        ),
        new(
            "replacement-unseen",
            "Another file under the image's name is taken for the image.",
            Finder.Test(
                Handler,
                "ImageChangeTests.Another_file_in_its_place_is_no_matter_to_who_is_served_and_refused_to_who_comes"
            ),
            "Handler/Sessions/VmSession.cs",
            "_server.Pages.WhyNot();",
            "BUG ? null : _server.Pages.WhyNot();"
        ),
        new(
            "change-untold",
            "A VM goes on with pages of an image that was written to.",
            Finder.Test(Handler, "ImageChangeTests.What_is_written_to_the_file_ends_every_vm_that_lacks_a_page"),
            "Handler/Sessions/VmSession.cs",
            "_server.Pages.Follow(Lose);",
            "if (!BUG) _server.Pages.Follow(Lose);"
        ),
        new(
            "sample-is-identity",
            "Images of one sample have one identity before they were read whole.",
            Finder.Test(
                Pages,
                "Images.WholeImageTests.Images_that_differ_in_one_page_between_the_samples_never_share_an_identity"
            ),
            "Pages/Images/ImageIdentity.cs",
            "KeyOf(image, sampled, file, Machine)",
            "HashOf(\"\")"
        ),
        new(
            "changed-image-kept",
            "The identity of an image that changed while it was read is taken for its identity.",
            Finder.Test(
                Pages,
                "Images.WholeImageTests.A_file_that_was_written_a_moment_ago_is_not_kept_and_one_that_changes_has_none"
            ),
            "Pages/Images/WholeImage.cs",
            "image.Change() is { IsContent: true }) return null; var whole",
            "(!BUG && image.Change() is { IsContent: true })) return null; var whole"
        ),
        new(
            "alike-are-one",
            "Images of one sample on one server count as one image.",
            Finder.Test("DataPlane.Tests", "SameImagesTests.Images_that_were_read_whole_and_differ_stay_apart"),
            "DataPlane/Wire/SameImages.cs",
            "one.IsSameSample(other) && one.IsProvisional != other.IsProvisional",
            "one.IsSameSample(other)"
        ),
        new(
            "undecided-is-decided",
            "Nobody waits for sources that may turn out to have one image.",
            Finder.Test("DataPlane.Tests", "SameImagesTests.Files_of_one_sample_are_not_mixed_before_they_are_known"),
            "DataPlane/Wire/SameImages.cs",
            "groups[i][0].IsSameSample(groups[j][0])",
            "false"
        ),
        new(
            "idle-vcpus-started",
            "One row of vCPU 65535 makes 65536 vCPUs.",
            Finder.Test(Pages, "Streams.TraceTests.One_row_of_the_last_vcpu_is_one_vcpu"),
            "Pages/Streams/TraceReader.cs",
            "all - _rows.Count > MaxIdleVcpus",
            "false"
        ),
        new(
            "ranges-unlimited",
            "More memory ranges than a VM has memslots are not refused before the migration starts.",
            Finder.Test("Host.Tests", "MemoryRangesTests.More_ranges_than_a_vm_has_memslots_are_refused"),
            "Host/Shared/Inputs/RunInputs.cs",
            "(ulong)regions.Count > max",
            "false"
        ),
        new(
            "broken-migration-anew",
            "A migration that fails is started anew, without what it has done, and nobody hears of its end.",
            Finder.Test("Host.Tests", "MigrationWatchTests.A_migration_that_fails_is_told_and_not_started_anew"),
            "Host/Shared/Migrations/Actors/MigrationWatch.cs",
            "return Directive.Stop;",
            "return Directive.Restart;"
        ),
        new(
            "strip-walks-anew",
            "The picture of the bitmaps looks at all of them for each of its cells.",
            Finder.Test(
                "Actors.Tests",
                "Migrations.BitmapStripTests.Each_bitmap_is_looked_at_once_however_many_cells_there_are"
            ),
            "Actors/Migrations/BitmapStrip.cs",
            "if (end == start) continue;",
            "if (BUG) (bitmapAt, bitmapStart) = (0, 0); if (end == start) continue;"
        ),
        new(
            "deprecated-page-size-ignored",
            "A page size that is said by its deprecated name alone is not looked at.",
            Finder.Test(Handler, "PageSizeTests.What_is_no_page_size_is_refused"),
            "Handler/Protocol/RegionList.cs",
            "pageBytes ?? pageBytesAsKib ?? Page.Size",
            "pageBytes ?? Page.Size"
        ),
    ];
}
