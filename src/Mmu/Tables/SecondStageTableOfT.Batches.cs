using System.Numerics;

namespace Userfault.Mmu;

// Operations on ranges, in bounded batches, and on masks of 64 pages.
public sealed unsafe partial class SecondStageTable<TFormat>
{
    /// <inheritdoc/>
    public override BatchResult Zap(ref RangeCursor cursor, int budget)
    {
        var action = default(ZapAction<TFormat>);
        return Sweep(ref cursor, budget, ref action);
    }

    /// <inheritdoc/>
    public override BatchResult Split(ref RangeCursor cursor, int budget, PageLevel target = PageLevel.Size4K)
    {
        var from = cursor.Next.Value;
        var action = new SplitAction<TFormat>(target);
        var result = Sweep(ref cursor, budget, ref action);
        cursor.Next = new Gfn(action.Phase.Resume(from, cursor.Next.Value));
        return result;
    }

    /// <inheritdoc/>
    public override BatchResult Collapse(ref RangeCursor cursor, int budget, IMappingLevels levels)
    {
        ArgumentNullException.ThrowIfNull(levels);
        var from = cursor.Next.Value;
        var action = new CollapseAction<TFormat>(levels);
        var result = Sweep(ref cursor, budget, ref action);
        cursor.Next = new Gfn(action.Phase.Resume(from, cursor.Next.Value));
        return result;
    }

    /// <inheritdoc/>
    public override BatchResult DropTables(ref RangeCursor cursor, int budget, IMappingLevels levels)
    {
        ArgumentNullException.ThrowIfNull(levels);
        var action = new DropAction<TFormat>(levels);
        return Sweep(ref cursor, budget, ref action);
    }

    /// <inheritdoc/>
    public override BatchResult WriteProtect(ref RangeCursor cursor, int budget, PageLevel minLevel = PageLevel.Size4K)
    {
        var action = new UpdateAction<TFormat, WriteProtectUpdate<TFormat>>(minLevel, needsFlush: true);
        return Sweep(ref cursor, budget, ref action);
    }

    /// <inheritdoc/>
    public override BatchResult ClearDirty(ref RangeCursor cursor, int budget)
    {
        var action = new UpdateAction<TFormat, ClearDirtyUpdate<TFormat>>(PageLevel.Size4K, needsFlush: true);
        return Sweep(ref cursor, budget, ref action);
    }

    /// <inheritdoc/>
    public override BatchResult ClearAccessed(ref RangeCursor cursor, int budget)
    {
        var action = new UpdateAction<TFormat, ClearAccessedUpdate<TFormat>>(PageLevel.Size4K, needsFlush: false);
        return Sweep(ref cursor, budget, ref action);
    }

    /// <inheritdoc/>
    public override BatchResult WriteProtect(Gfn start, ulong mask, PageLevel maxLevel = PageLevel.Size1G)
    {
        UpdateMask(start, mask, default(WriteProtectUpdate<TFormat>), maxLevel, out var result);
        return result;
    }

    /// <inheritdoc/>
    public override ulong TestAndClearDirty(Gfn start, ulong mask) =>
        UpdateMask(start, mask, default(ClearDirtyUpdate<TFormat>), PageLevel.Size4K, out _);

    /// <inheritdoc/>
    public override void Visit<TVisitor>(GfnRange range, ref TVisitor visitor)
    {
        var action = new VisitAction<TFormat, TVisitor>(visitor);
        var cursor = new RangeCursor(range);
        while (!cursor.IsDone && !action.IsEnded)
        {
            Sweep(ref cursor, int.MaxValue, ref action);
        }
        visitor = action.Visitor;
    }

    private BatchResult Sweep<TAction>(ref RangeCursor cursor, int budget, ref TAction action)
        where TAction : struct, ISweepAction<TFormat>
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(budget);
        var state = new SweepState(cursor.Next.Value, Math.Min(cursor.End.Value, _limit), budget);
        if (SweepTable(_root, Geometry.RootLevel, ref state, ref action))
        {
            // Nothing is mapped beyond the address width.
            cursor.Next = cursor.End > cursor.Next ? cursor.End : cursor.Next;
        }
        else
        {
            cursor.Next = new Gfn(state.Next);
        }
        return state.Result;
    }

    // Processes one table from state.Next on. false: the batch ends here, within the table.
    private bool SweepTable<TAction>(ulong* table, PageLevel level, ref SweepState state, ref TAction action)
        where TAction : struct, ISweepAction<TFormat>
    {
        var pages = level.Pages();
        var count = (int)level == _rootLevel ? Geometry.RootEntries : PageLevels.EntriesPerTable;
        for (var index = IndexIn(level, state.Next); index < count && state.Next < state.End; index++)
        {
            var pointer = table + index;
            var pte = Volatile.Read(ref *pointer);
            var start = state.Next & ~(pages - 1);
            if (pte != 0)
            {
                var entry = new TableEntry(table, pointer, pte, level, start);
                // However small the budget, a batch processes at least one entry: the tables above it must not use up
                // the budget.
                if (state.Budget-- <= 0 && state.Next > state.From)
                {
                    return false;
                }
                var step = action.OnEntry(this, entry, ref state);
                if (step == SweepStep.Stop)
                {
                    return false;
                }
                if (step == SweepStep.Descend)
                {
                    var child = (ulong*)TFormat.TableOf(Volatile.Read(ref *pointer));
                    if (!SweepTable(child, level - 1, ref state, ref action))
                    {
                        return false;
                    }
                    action.OnLeave(this, entry, ref state);
                    continue;
                }
            }
            state.Next = start + pages;
        }
        return true;
    }

    // Applies an update to the leaves of the pages in mask, each leaf once. Returns the pages whose leaves the update
    // changes; leaves above maxLevel are included in the result but not changed.
    private ulong UpdateMask<TUpdate>(Gfn start, ulong mask, TUpdate update, PageLevel maxLevel, out BatchResult result)
        where TUpdate : struct, ILeafUpdate
    {
        var state = new SweepState(0, 0, 0);
        var changed = 0UL;
        while (mask != 0)
        {
            var first = BitOperations.TrailingZeroCount(mask);
            var gfn = start.Plus((ulong)first);
            var pointer = Find(gfn.Value, out var pte, out var level);
            // All pages of the mask that the entry covers, the first of which is `first`.
            var rest = level.Pages() - (gfn.Value & (level.Pages() - 1));
            var covered = mask & (rest + (ulong)first >= 64 ? ulong.MaxValue : (1UL << (int)(rest + (ulong)first)) - 1);
            if (TFormat.Classify(pte, level) == PteKind.Leaf && update.Apply(pte) != pte)
            {
                changed |= covered;
                if (level <= maxLevel)
                {
                    Update(pointer, pte, update);
                    state.Leaves++;
                    var leafStart = gfn.AlignDown(level).Value;
                    state.Flush(leafStart, leafStart + level.Pages());
                }
            }
            mask &= ~covered;
        }
        result = state.Result;
        return changed;
    }
}
