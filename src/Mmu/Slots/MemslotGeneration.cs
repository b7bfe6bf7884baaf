namespace Userfault.Mmu;

/// <summary>
/// The slots of one address space at one moment, by gfn (<c>struct kvm_memslots</c>). Immutable: readers take a
/// generation once and never lock.
/// </summary>
public sealed class MemslotGeneration
{
    // A change copies one run of slots and the list of runs, not every slot, so that adding 32 thousand of them one by
    // one stays cheap. Runs are never empty; slots are ordered by first gfn throughout and therefore, since they never
    // overlap, also by last gfn.
    private const int MostInRun = 256;
    private readonly Memslot[][] _runs;

    internal MemslotGeneration(ulong number, Memslot[][] runs)
    {
        Number = number;
        _runs = runs;
    }

    /// <summary>Number of changes of the address space so far.</summary>
    public ulong Number { get; }

    /// <summary>All slots, by first gfn.</summary>
    public IEnumerable<Memslot> Slots
    {
        get
        {
            foreach (var run in _runs)
            {
                foreach (var slot in run)
                    yield return slot;
            }
        }
    }

    /// <summary>The slot that backs <paramref name="gfn"/>, or null. O(log n).</summary>
    public Memslot? Find(Gfn gfn)
    {
        var hint = 0;
        return Find(gfn, ref hint);
    }

    /// <summary>
    /// The slot that backs <paramref name="gfn"/>, or null. The slot found last (<c>last_used_slot</c>) is tried first,
    /// since a vCPU usually stays within one.
    /// </summary>
    /// <param name="gfn">The frame.</param>
    /// <param name="hint">The index of the slot that the caller found last; any value is allowed. Receives the index of
    /// this one.</param>
    public Memslot? Find(Gfn gfn, ref int hint)
    {
        var runs = _runs;
        var (inRun, at) = ((uint)hint / MostInRun, (uint)hint % MostInRun);
        if (inRun < (uint)runs.Length && at < (uint)runs[inRun].Length && runs[inRun][at].Range.Contains(gfn))
            return runs[inRun][at];
        var run = RunOf(gfn);
        if (run < 0)
            return null;
        var index = LastStartingAtOrBefore(runs[run], gfn);
        if (!runs[run][index].Range.Contains(gfn))
            return null;
        hint = (run * MostInRun) + index;
        return runs[run][index];
    }

    /// <summary>Does a slot other than <paramref name="except"/> share a frame with the range?</summary>
    public bool Overlaps(GfnRange range, SlotId except)
    {
        if (range.IsEmpty)
            return false;
        var last = range.Start.Plus(range.Count - 1);
        var run = RunOf(last);
        var index = run < 0 ? -1 : LastStartingAtOrBefore(_runs[run], last);
        for (; run >= 0; index = --run < 0 ? -1 : _runs[run].Length - 1)
        {
            for (; index >= 0; index--)
            {
                // Every earlier slot ends before this one.
                if (_runs[run][index].Id != except)
                    return _runs[run][index].Range.Overlaps(range);
            }
        }

        return false;
    }

    /// <summary>
    /// A copy without slot <paramref name="removed"/> and with <paramref name="added"/>, as the next generation.
    /// </summary>
    internal MemslotGeneration With(Memslot? removed, Memslot? added)
    {
        var runs = _runs;
        if (removed is not null)
            runs = Without(runs, removed);
        if (added is not null)
            runs = new MemslotGeneration(Number, runs).WithAdded(added);
        return new MemslotGeneration(Number + 1, runs);
    }

    private Memslot[][] Without(Memslot[][] runs, Memslot removed)
    {
        var run = RunOf(removed.Range.Start);
        var index = LastStartingAtOrBefore(runs[run], removed.Range.Start);
        if (runs[run].Length == 1)
            return [.. runs[..run], .. runs[(run + 1)..]];
        runs = [.. runs];
        runs[run] = [.. runs[run][..index], .. runs[run][(index + 1)..]];
        return runs;
    }

    private Memslot[][] WithAdded(Memslot added)
    {
        if (_runs.Length == 0)
        {
            return
            [
                [added],
            ];
        }

        var run = Math.Max(RunOf(added.Range.Start), 0);
        var old = _runs[run];
        var index = LastStartingAtOrBefore(old, added.Range.Start) + 1;
        Memslot[] grown = [.. old[..index], added, .. old[index..]];
        if (grown.Length <= MostInRun)
            return [.. _runs[..run], grown, .. _runs[(run + 1)..]];
        return [.. _runs[..run], grown[..(MostInRun / 2)], grown[(MostInRun / 2)..], .. _runs[(run + 1)..]];
    }

    /// <summary>The last run that starts at or before a frame; -1 if all start after it.</summary>
    private int RunOf(Gfn gfn)
    {
        var (low, high) = (0, _runs.Length);
        while (low < high)
        {
            var middle = (int)((uint)(low + high) / 2);
            if (_runs[middle][0].Range.Start <= gfn)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }

    private static int LastStartingAtOrBefore(Memslot[] run, Gfn gfn)
    {
        var (low, high) = (0, run.Length);
        while (low < high)
        {
            var middle = (int)((uint)(low + high) / 2);
            if (run[middle].Range.Start <= gfn)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }
}
