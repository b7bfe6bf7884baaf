namespace Userfault.Mmu;

/// <summary>
/// The pending work of a memslot on its table after a change: operations over ranges, executed in bounded batches in
/// the order in which they were added. Owned by the memslot.
/// </summary>
internal sealed class MemslotWork
{
    private readonly Queue<(Operation Operation, GfnRange Range)> _queue = [];
    private Operation _current;
    private RangeCursor _cursor;

    internal enum Operation
    {
        None,
        Zap,
        Split,
        WriteProtect,
        WriteProtectLarge,
        ClearDirty,
        Recover,
        DropToRecover,
    }

    internal bool IsEmpty => _current == Operation.None && _queue.Count == 0;

    internal void Add(Operation operation, GfnRange range) => _queue.Enqueue((operation, range));

    /// <summary>Removes everything: a slot that is being removed needs only its zap.</summary>
    internal void Clear()
    {
        _queue.Clear();
        _current = Operation.None;
    }

    /// <summary>Executes one batch.</summary>
    /// <param name="table">The memslot's table.</param>
    /// <param name="levels">Limits the size of recovered leaves.</param>
    /// <param name="budget">Maximum number of entries to visit.</param>
    /// <param name="breaks">Is the batch the break half of a break-before-make, so that its flush must precede the next
    /// batch?</param>
    internal MemslotStep Step(SecondStageTable table, IMappingLevels levels, int budget, out bool breaks)
    {
        breaks = false;
        if (_current == Operation.None)
        {
            if (!_queue.TryDequeue(out var next))
                return new MemslotStep(true, 0, default);
            _current = next.Operation;
            _cursor = new RangeCursor(next.Range);
        }

        var batch = Run(table, levels, budget);
        breaks = batch.NeedsFlush && table.NeedsBreakBeforeMake && _current is Operation.Split or Operation.Recover;
        if (_cursor.IsDone && !breaks)
            _current = Operation.None;
        return new MemslotStep(IsEmpty, batch.Leaves, batch.Flush);
    }

    private BatchResult Run(SecondStageTable table, IMappingLevels levels, int budget) =>
        _current switch
        {
            Operation.Zap => table.Zap(ref _cursor, budget),
            Operation.Split => table.Split(ref _cursor, budget),
            Operation.WriteProtect => table.WriteProtect(ref _cursor, budget),
            Operation.WriteProtectLarge => table.WriteProtect(ref _cursor, budget, PageLevel.Size2M),
            Operation.ClearDirty => table.ClearDirty(ref _cursor, budget),
            Operation.Recover => table.Collapse(ref _cursor, budget, levels),
            Operation.DropToRecover => table.DropTables(ref _cursor, budget, levels),
            _ => throw new InvalidOperationException($"no such work: {_current}"),
        };
}
