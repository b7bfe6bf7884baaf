namespace Userfault.Mutants;

/// <summary>QEMU's saved streams: their reader, their index, and the image that they are.</summary>
internal static class QemuImageMutants
{
    private const string Qemu = "Qemu.Tests";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "first-copy-of-a-page-holds",
            "Of a page that was saved twice, while the guest ran, the first copy is taken.",
            Finder.Test(Qemu, "QemuImageTests.The_last_record_of_a_page_holds"),
            "Qemu/Images/PageOffsets.cs",
            "_offsets[page] = offset;",
            "_offsets[page] = _offsets[page] == 0 ? offset : _offsets[page];"
        ),
        new(
            "zero-after-content-ignored",
            "A page that became zero while the guest was saved keeps the content that it had.",
            Finder.Test(Qemu, "QemuImageTests.The_last_record_of_a_page_holds"),
            "Qemu/Streams/RamRecordReader.cs",
            "_offsets.SetZero(page);",
            ""
        ),
        new(
            "section-forgets-the-block",
            "A record without a name, first in its section, does not belong to the block of the section before.",
            Finder.Test(Qemu, "QemuImageTests.The_last_record_of_a_page_holds"),
            "Qemu/Streams/RamRecordReader.cs",
            "while (true)",
            "if (BUG) _last = -1; while (true)"
        ),
        new(
            "bits-from-the-top",
            "Bits of a byte of mapped-ram's bitmap are counted from the highest.",
            Finder.Test(Qemu, "QemuImageTests.Mapped_ram_has_its_pages_at_fixed_offsets"),
            "Qemu/Images/PageBits.cs",
            "(bits[page / 8] & (1 << (int)(page % 8))) != 0",
            "(bits[page / 8] & (0x80 >> (int)(page % 8))) != 0"
        ),
        new(
            "run-ends-with-its-byte",
            "A run of zero pages ends with the byte of the bitmap that it begins in.",
            Finder.Test(Qemu, "PageBitsTests.Runs_and_counts_are_those_of_every_bit"),
            "Qemu/Images/PageBits.cs",
            "if (next - page >= most)",
            "if (BUG) return Math.Min(next - page, most); if (next - page >= most)"
        ),
        new(
            "next-block-behind-the-bitmap",
            "The entry of mapped-ram's next block is looked for in front of the pages of the block before.",
            Finder.Test(Qemu, "QemuImageTests.Mapped_ram_has_its_pages_at_fixed_offsets"),
            "Qemu/Streams/RamBlockList.cs",
            "cursor.Skip(block.Bytes, $\"{what}: its pages\");",
            ""
        ),
        new(
            "end-by-a-key",
            "The end of the devices' state is found by the key that QEMU 7.2's description begins with.",
            Finder.Test(Qemu, "QemuImageTests.The_description_is_found_whatever_it_begins_with"),
            "Qemu/Streams/DeviceState.cs",
            "told == length - at",
            "new ReadOnlySpan<byte>(bytes + at, (int)(length - at)).StartsWith(\"{\\\"page_size\\\"\"u8)"
        ),
        new(
            "footers-unread",
            "A section's footer may be that of another.",
            Finder.Test(Qemu, "StreamRefusalTests.What_cannot_be_read_is_refused_by_name"),
            "Qemu/Streams/SavedStreamReader.cs",
            "cursor.UInt32(\"a footer\") != section",
            "cursor.UInt32(\"a footer\") == uint.MaxValue"
        ),
        new(
            "zeros-are-the-end",
            "A file without description that was cut off behind a zero byte counts as whole.",
            Finder.Test(Qemu, "StreamRefusalTests.What_cannot_be_read_is_refused_by_name"),
            "Qemu/Streams/DeviceState.cs",
            "IsWhole(path, bytes, length - 1, start)",
            "true"
        ),
        new(
            "stale-index-believed",
            "The index of a file that has changed since is taken for that of the file.",
            Finder.Test(Qemu, "IndexTests.The_index_of_a_file_that_was_changed_is_made_anew"),
            "Qemu/Images/IndexFile.cs",
            "header[SummedFrom..].SequenceEqual(wanted[SummedFrom..])",
            "true"
        ),
        new(
            "damaged-offsets-believed",
            "Offsets of a kept index are used without a look at their sums.",
            Finder.Test(Qemu, "IndexTests.A_damaged_index_changes_no_page"),
            "Qemu/Images/PageIndex.cs",
            "SumOf(_start + _layout.Offsets + (chunk * IndexLayout.ChunkBytes)) != _sums[chunk]",
            "false"
        ),
        new(
            "unsettled-file-indexed",
            "The index of a file that was changed just now is kept, and outlives a change within the same tick.",
            Finder.Test(Qemu, "IndexTests.A_file_that_was_changed_just_now_keeps_none"),
            "Qemu/Images/StreamIndexer.cs",
            "stamp.IsSettledAt(settings.Time.GetUtcNow())",
            "true"
        ),
        new(
            "stream-change-unseen",
            "A stream's change while it is open goes unnoticed: its pages are served as they were.",
            Finder.Test(Qemu, "QemuImageFileTests.A_stream_that_is_written_to_has_changed"),
            "Qemu/Images/QemuImage.cs",
            "_changes.Look(this)",
            "null"
        ),
    ];
}
