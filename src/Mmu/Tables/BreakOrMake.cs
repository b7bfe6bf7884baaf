namespace Userfault.Mmu;

// Keeps a batch of a format with break-before-make to one of the two: between them the owner must flush.
internal struct BreakOrMake
{
    private bool _makes;
    private ulong? _firstBroken;

    // May something be broken? Not where something was made in this batch already.
    public readonly bool MayBreak => !_makes;

    public void NoteBroken(ulong start) => _firstBroken ??= start;

    // Makes, unless the batch breaks: its flush is still to come.
    public bool TryMake() => _makes = _firstBroken == null;

    // Where the next batch begins, given where this one began and ended.
    public readonly ulong Resume(ulong from, ulong next) => _firstBroken is { } first ? Math.Max(from, first) : next;
}
