namespace Userfault.Mmu;

/// <summary>The memslot's dirty log: which pages the guest wrote since the log was last cleared.</summary>
public sealed partial class MemslotCore
{
    private UserfaultBitmap? _dirty;
    private UserfaultBitmap? _dirtyMemory;

    /// <summary>
    /// One bit per page; null unless the slot logs. Set atomically by any writer; cleared only by the owner.
    /// </summary>
    public UserfaultBitmap? DirtyBitmap => Volatile.Read(ref _dirty);

    /// <summary>
    /// Records that a page was written (<c>mark_page_dirty_in_slot</c>). Any thread. Faults call it themselves, and the
    /// VMM does for its own writes.
    /// </summary>
    public void MarkDirty(Gfn gfn)
    {
        var dirty = DirtyBitmap;
        if (dirty is null)
            return;
        var index = _slot.IndexOf(gfn);
        if (!dirty.IsSet(index))
            dirty.Set(index);
    }

    /// <summary>
    /// Records a write that the hardware's walk permitted, for a policy that logs by hardware: a vCPU calls it for each
    /// write that needed a walk. Any thread.
    /// </summary>
    /// <param name="gfn">The page.</param>
    /// <param name="level">
    /// The leaf's size. A large leaf is writable in a logging slot only if its dirty bit was left set, and hardware
    /// logs nothing through that.
    /// </param>
    public void LogWrite(Gfn gfn, PageLevel level)
    {
        if (level == PageLevel.Size4K)
            MarkDirty(gfn);
    }

    /// <summary>
    /// KVM_GET_DIRTY_LOG. Without manual protection the log is cleared and its pages are protected again; with it
    /// nothing changes.
    /// </summary>
    /// <param name="words">Receives one bit per page; the rest of the last word is zero.</param>
    /// <param name="flush">Frames to flush before the caller is answered.</param>
    /// <returns>ENOENT if the slot does not log, EFAULT if <paramref name="words"/> is too short.</returns>
    public Errno GetDirtyLog(Span<ulong> words, out GfnRange flush)
    {
        flush = default;
        var dirty = _dirty;
        if (dirty is null)
            return Errno.ENOENT;
        if ((ulong)words.Length < dirty.WordCount)
            return Errno.EFAULT;
        var isManual = Policy.DirtyLogProtect != DirtyLogProtect.None;
        for (var i = 0UL; i < dirty.WordCount; i++)
        {
            var word = dirty.ReadWord(i);
            if (word != 0 && !isManual)
            {
                word = dirty.ApplyClear(i, ulong.MaxValue);
                flush = flush.Cover(ProtectAgain(i, word));
            }

            words[(int)i] = word;
        }

        return Errno.None;
    }

    /// <summary>KVM_CLEAR_DIRTY_LOG: clears the bits that are set in the mask and protects those pages again.</summary>
    /// <param name="firstPage">First page of the mask, a multiple of 64.</param>
    /// <param name="pages">Number of pages; a multiple of 64 unless it ends with the slot.</param>
    /// <param name="mask">One bit per page, from <paramref name="firstPage"/>. Bits beyond the slot are
    /// ignored.</param>
    /// <param name="flush">Frames to flush before the caller is answered.</param>
    /// <returns>EINVAL, ENOENT if the slot does not log, EFAULT if <paramref name="mask"/> is too short.</returns>
    public Errno ClearDirtyLog(ulong firstPage, ulong pages, ReadOnlySpan<ulong> mask, out GfnRange flush)
    {
        flush = default;
        var dirty = _dirty;
        if (firstPage % 64 != 0)
            return Errno.EINVAL;
        if (dirty is null)
            return Errno.ENOENT;
        if (
            firstPage > dirty.Pages
            || pages > dirty.Pages - firstPage
            || (pages < dirty.Pages - firstPage && pages % 64 != 0)
        )
        {
            return Errno.EINVAL;
        }

        var words = (pages + 63) / 64;
        if ((ulong)mask.Length < words)
            return Errno.EFAULT;
        for (var i = 0UL; i < words; i++)
        {
            var cleared = mask[(int)i] == 0 ? 0 : dirty.ApplyClear(firstPage / 64 + i, mask[(int)i]);
            if (cleared != 0)
                flush = flush.Cover(ProtectAgain(firstPage / 64 + i, cleared));
        }

        return Errno.None;
    }

    /// <summary>
    /// Makes the next write to each page of a word detectable (<c>kvm_arch_mmu_enable_log_dirty_pt_masked</c>).
    /// </summary>
    private GfnRange ProtectAgain(ulong wordIndex, ulong mask)
    {
        var start = _slot.Range.Start.Plus(wordIndex * 64);
        var flush = default(GfnRange);
        // If the slot started all dirty, nothing was split when logging was turned on: it is split here, piece by
        // piece.
        if (Policy.StartsAllDirty && Policy.SplitsEagerly)
            flush = SplitSpan(Span(start, mask));
        if (!Policy.UsesHardwareDirtyLog)
        {
            var pages = Policy.WriteProtectsSpans ? Fill(mask) : mask;
            var maxLevel =
                Policy.StartsAllDirty || Policy.ProtectsHugeLeavesOnClear ? PageLevel.Size1G : PageLevel.Size4K;
            return flush.Cover(Table.WriteProtect(start, pages, maxLevel).Flush);
        }

        // The hardware's dirty bit covers the whole leaf: large leaves trap their next write and are split by it.
        if (Policy.StartsAllDirty || Policy.ProtectsHugeLeavesOnClear)
            flush = flush.Cover(ProtectLarge(Span(start, mask)));
        var wasDirty = Table.TestAndClearDirty(start, mask);
        return wasDirty == 0 ? flush : flush.Cover(Span(start, wasDirty));
    }

    private GfnRange ProtectLarge(GfnRange span)
    {
        var cursor = new RangeCursor(span);
        var flush = default(GfnRange);
        while (!cursor.IsDone)
            flush = flush.Cover(Table.WriteProtect(ref cursor, int.MaxValue, PageLevel.Size2M).Flush);
        return flush;
    }

    private GfnRange SplitSpan(GfnRange span)
    {
        // With break-before-make, the pieces wait for their flushes.
        if (Table.NeedsBreakBeforeMake)
        {
            _work.Add(MemslotWork.Operation.Split, span);
            return default;
        }

        var cursor = new RangeCursor(span);
        var flush = default(GfnRange);
        while (!cursor.IsDone)
            flush = flush.Cover(Table.Split(ref cursor, int.MaxValue).Flush);
        return flush;
    }

    /// <summary>The changes to the table when logging is turned on or off (<c>kvm_mmu_slot_apply_flags</c>).</summary>
    private void ChangeLogging(Memslot slot)
    {
        // A READONLY slot cannot become dirty: there is nothing to protect, and its large leaves were never split for
        // logging.
        if (slot.IsReadonly)
            return;
        if (!slot.LogsDirtyPages)
        {
            // The rule for both flags: large leaves come back when neither flag requires small ones any more.
            if (!slot.IsUserfault)
                BeginRecovery(slot);
            return;
        }

        // All pages already count as dirty: protecting them would only cause faults.
        if (Policy.StartsAllDirty)
            return;
        if (Policy.SplitsEagerly)
            _work.Add(MemslotWork.Operation.Split, slot.Range);
        if (Policy.UsesHardwareDirtyLog)
        {
            _work.Add(MemslotWork.Operation.ClearDirty, slot.Range);
            _work.Add(MemslotWork.Operation.WriteProtectLarge, slot.Range);
        }
        else
        {
            _work.Add(MemslotWork.Operation.WriteProtect, slot.Range);
        }
    }

    private void UpdateDirtyBitmap(Memslot slot)
    {
        if (slot.LogsDirtyPages == DirtyBitmap is not null)
            return;
        if (!slot.LogsDirtyPages)
        {
            // The memory stays until the core is disposed of: another thread may be about to mark a page in it.
            Volatile.Write(ref _dirty, null);
            return;
        }

        if (_dirtyMemory is null)
            _dirtyMemory = UserfaultBitmap.Allocate(slot.Range.Count);
        else
            _dirtyMemory.ClearRange(0, _dirtyMemory.Pages);
        if (Policy.StartsAllDirty)
            _dirtyMemory.SetAll();
        Volatile.Write(ref _dirty, _dirtyMemory);
    }

    private static GfnRange Span(Gfn start, ulong mask)
    {
        var first = (ulong)ulong.TrailingZeroCount(mask);
        return new GfnRange(start.Plus(first), 64 - ulong.LeadingZeroCount(mask) - first);
    }

    /// <summary>All bits from the first to the last that is set.</summary>
    private static ulong Fill(ulong mask) =>
        ulong.MaxValue << (int)ulong.TrailingZeroCount(mask) & ulong.MaxValue >> (int)ulong.LeadingZeroCount(mask);
}
