namespace Userfault.Mmu;

/// <summary>The result of an operation on one entry, and the flush that it requires.</summary>
/// <param name="Change">The kind of change.</param>
/// <param name="Flush">Frames whose cached translations are now stale; empty if there are none.</param>
public readonly record struct ChangeResult(TableChange Change, GfnRange Flush)
{
    /// <summary>Must TLBs be flushed (and, with <see cref="TableChange.Broken"/>, before anything else)?</summary>
    public bool NeedsFlush => !Flush.IsEmpty;
}
