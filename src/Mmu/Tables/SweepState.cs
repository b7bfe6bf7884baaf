namespace Userfault.Mmu;

// The state of one batch over a range: its position, the rest of its budget, and its result.
internal struct SweepState(ulong next, ulong end, int budget)
{
    private ulong _flushStart = ulong.MaxValue;
    private ulong _flushEnd;

    // First gfn of this batch, and the first one not processed yet.
    public readonly ulong From = next;
    public ulong Next = next;
    public readonly ulong End = end;
    public int Budget = budget;
    public long Leaves;

    public readonly BatchResult Result =>
        new(Leaves, _flushStart < _flushEnd ? GfnRange.Between(new Gfn(_flushStart), new Gfn(_flushEnd)) : default);

    public void Flush(ulong start, ulong end)
    {
        _flushStart = Math.Min(_flushStart, start);
        _flushEnd = Math.Max(_flushEnd, end);
    }
}
