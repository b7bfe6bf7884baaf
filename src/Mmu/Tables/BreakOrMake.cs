namespace Userfault.Mmu;

// Restricts a batch of a format with break-before-make to one of the two: the owner must flush between them.
internal struct BreakOrMake
{
    private bool _makes;
    private ulong? _firstBroken;

    // May an entry be broken? Not if this batch has already made one.
    public readonly bool MayBreak => !_makes;

    public void NoteBroken(ulong start) => _firstBroken ??= start;

    // Makes, unless the batch breaks: its flush is still pending.
    public bool TryMake() => _makes = _firstBroken == null;

    // Where the next batch starts, given where this one started and ended.
    public readonly ulong Resume(ulong from, ulong next) => _firstBroken is { } first ? Math.Max(from, first) : next;
}
