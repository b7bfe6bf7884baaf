namespace Userfault.Mmu;

/// <summary>What an operation on one entry did, and what must be flushed for it.</summary>
/// <param name="Change">What was done.</param>
/// <param name="Flush">Frames whose cached translations are stale now; empty where none are.</param>
public readonly record struct ChangeResult(TableChange Change, GfnRange Flush)
{
    /// <summary>Must TLBs be flushed (and, with <see cref="TableChange.Broken"/>, before anything else)?</summary>
    public bool NeedsFlush => !Flush.IsEmpty;
}
