namespace Userfault.Mmu;

/// <summary>
/// The frames that one vCPU must drop from its TLB before it acknowledges <paramref name="Generation"/>.
/// </summary>
/// <param name="Generation">The newest flush that <paramref name="Range"/> covers; 0 before the first.</param>
/// <param name="Range">The frames; empty if there is nothing to drop.</param>
public readonly record struct TlbFlush(ulong Generation, GfnRange Range)
{
    /// <summary>Is there nothing to drop?</summary>
    public bool IsEmpty => Range.IsEmpty;
}
