namespace Userfault.Mutants;

/// <summary>KVM's half: bitmap, tables, fault path.</summary>
internal static class MmuMutants
{
    private const string FaultPath = "Mmu/Faults/FaultPath.cs";
    private const string MemslotCore = "Mmu/Faults/MemslotCore.cs";
    private const string MemslotWork = "Mmu/Slots/MemslotWork.cs";
    private const string DirtyLog = "Mmu/Faults/MemslotCore.DirtyLog.cs";
    private const string Words = "Mmu/Bitmap/BitmapWords.cs";
    private const string Tests = "Mmu.Tests";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "zap-skips-table",
            "A zap passes over the first 2 MiB of its range.",
            Finder.Swarm("zap", 300),
            MemslotWork,
            "_cursor = new RangeCursor(next.Range);",
            """
            var skipped = BUG && _current == Operation.Zap ? PageLevel.Size2M.Pages() : 0;
            skipped = Math.Min(skipped, next.Range.Count);
            _cursor = new RangeCursor(new GfnRange(next.Range.Start.Plus(skipped), next.Range.Count - skipped));
            """
        ),
        new(
            "no-zap",
            "Turning USERFAULT on zaps nothing.",
            Finder.Swarm("zap", 300),
            MemslotCore,
            """
            if (slot.IsUserfault)
                BeginZap();
            """,
            """
            if (slot.IsUserfault && !BUG)
                BeginZap();
            """
        ),
        new(
            "huge-while-userfault",
            "Pages are mapped as large as the host permits while USERFAULT is on.",
            Finder.Swarm("page-size", 300),
            FaultPath,
            "policy.IsLogging(slot) || slot.IsUserfault",
            "policy.IsLogging(slot)"
        ),
        new(
            "userfault-bit-by-gfn",
            "The userfault check takes the gfn for the page's index in its slot.",
            Finder.Swarm("mapping", 50),
            MemslotCore,
            "(word >> (int)(index % 64) & 1)",
            "(word >> (int)(gfn.Value % 64) & 1)"
        ),
        new(
            "break-not-remembered",
            "Frames that a break-before-make took out are mapped again before they are flushed.",
            Finder.Swarm("progress", 60),
            FaultPath,
            "core.Break(change.Flush);",
            ""
        ),
        new(
            "leaf-beyond-slot",
            "A large leaf reaches past the end of its slot.",
            Finder.Test(Tests, "FaultPathTests.A_leaf_does_not_reach_out_of_its_slot"),
            FaultPath,
            "range.Start >= slot.Range.Start && range.End <= slot.Range.End",
            "range.Start >= slot.Range.Start"
        ),
        new(
            "readonly-before-userfault",
            "A write to a READONLY slot is answered before the userfault check on both architectures.",
            Finder.Test(Tests, "FaultPathTests.An_access_ends_as_the_table_says"),
            FaultPath,
            "policy.ChecksReadonlyBeforeUserfault && slot.IsReadonly && isWrite",
            "slot.IsReadonly && isWrite"
        ),
        new(
            "invalidation-unnoticed",
            "An invalidation that ends while the page is being found does not make the fault start again.",
            Finder.Test(Tests, "FaultPathTests.An_access_ends_as_the_table_says"),
            FaultPath,
            "core.InvalidationSequence != sequence || core.IsInvalidating(gfn)",
            "core.IsInvalidating(gfn)"
        ),
        new(
            "dirty-log-unprotected",
            "Pages whose dirty bits were taken are not protected again.",
            Finder.Test(Tests, "DirtyLogTests.Each_write_after_a_read_of_the_log_is_logged_again"),
            DirtyLog,
            "flush = flush.Cover(ProtectAgain(i, word));",
            ""
        ),
        new(
            "no-bitmap-unreadable",
            "A slot with the flag and without a bitmap has its bits read at address 0.",
            Finder.Test(Tests, "FaultPathTests.An_access_ends_as_the_table_says"),
            MemslotCore,
            "!slot.IsUserfault || slot.UserfaultBitmap == default",
            "!slot.IsUserfault"
        ),
        new(
            "huge-leaf-always-protected",
            "Clearing a dirty log protects huge leaves although the log did not start all dirty.",
            Finder.Test(Tests, "DirtyLogTests.A_huge_leaf_stays_unlogged_if_initially_set_is_turned_off"),
            DirtyLog,
            "Policy.StartsAllDirty || Policy.ProtectsHugeLeavesOnClear ? PageLevel.Size1G : PageLevel.Size4K",
            "PageLevel.Size1G"
        ),
        new(
            "drops-every-table",
            "A kernel that drops tables to recover huge leaves drops those that cannot become one.",
            Finder.Test(
                Tests,
                "Tables.OperationTests.A_table_is_dropped_where_one_leaf_could_stand_and_kept_elsewhere"
            ),
            "Mmu/Tables/DropAction.cs",
            "levels.MaxMappingLevel(new Gfn(entry.Start)) < entry.Level",
            "levels.MaxMappingLevel(new Gfn(entry.Start)) < PageLevel.Size4K"
        ),
        new(
            "last-word-whole",
            "Bits behind the last page of a bitmap count as pages.",
            Finder.Test(Tests, "UserfaultBitmapTests.A_word_taken_whole_leaves_the_bits_behind_the_last_page"),
            Words,
            "ulong.MaxValue >> (int)(-(long)bits & (BitsPerWord - 1))",
            "ulong.MaxValue >> (int)(BitsPerWord - 1 - (bits % BitsPerWord))"
        ),
        new(
            "count-drops-tail",
            "Of words that are counted four at a time, the last few are not counted.",
            Finder.Test(Tests, "UserfaultBitmapModelTests.Bitmap_and_array_agree"),
            Words,
            "for (; index < end; index++) a +=",
            "for (; index < (BUG ? end - 1 : end); index++) a +="
        ),
        new(
            "range-ends-short",
            "The last page of a range is left out where the range spans several words.",
            Finder.Swarm("mapping", 20),
            "Mmu/Bitmap/WordRange.cs",
            "LastMask = ulong.MaxValue >> (int)(BitmapWords.BitsPerWord - 1 - (end % BitmapWords.BitsPerWord));",
            "LastMask = ulong.MaxValue >> (int)(BitmapWords.BitsPerWord - 1 - ((end - 1) % BitmapWords.BitsPerWord));"
        ),
        new(
            "private-end-kept",
            "Memory that is made shared again keeps its last private page.",
            Finder.Test(Tests, "MemoryAttributesTests.Private_runs_agree_with_an_array"),
            "Mmu/Slots/MemoryAttributes.cs",
            "left.Add(GfnRange.Between(old.Start > range.End ? old.Start : range.End, old.End));",
            "left.Add(GfnRange.Between(old.Start > range.End ? old.Start : new Gfn(range.End.Value - 1), old.End));"
        ),
    ];
}
