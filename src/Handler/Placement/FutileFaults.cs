using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Faults that were answered by a wake alone, since the kernel said that their page is there, or that nobody can touch
/// it. Such a fault should not come again. One that does is answered at once for a while, then at the pace of a
/// shortage, and not for ever: no loop between a guest and its handler is without an end. Empty in the common case.
/// One owner.
/// </summary>
/// <param name="maxPaced">How many answers of one page at the slow pace before it is given up.</param>
internal sealed class FutileFaults(long maxPaced)
{
    private const int MaxAtOnce = 64;
    private const int MaxPages = 4096;
    private readonly Dictionary<ulong, long> _counts = new(256);

    /// <summary>What to do about the next answer.</summary>
    internal enum Answer
    {
        /// <summary>It is given now.</summary>
        Now,

        /// <summary>It waits for a moment first.</summary>
        Later,

        /// <summary>There have been too many.</summary>
        Never,
    }

    /// <summary>Counts an answer by a wake alone.</summary>
    public Answer Count(MemoryPage page)
    {
        if (!_counts.TryGetValue(page.Value, out var count) && _counts.Count >= MaxPages)
            return Answer.Now;
        _counts[page.Value] = ++count;
        if (count <= MaxAtOnce)
            return Answer.Now;
        // Every second one waits, and is counted again when it is tried again.
        return count > MaxAtOnce + (2 * maxPaced) ? Answer.Never
            : count % 2 == 1 ? Answer.Later
            : Answer.Now;
    }

    /// <summary>These pages were put in place.</summary>
    public void Forget(MemoryPage first, ulong pages)
    {
        if (_counts.Count == 0)
            return;
        for (ulong i = 0; i < pages; i++)
            _counts.Remove(first.Value + i);
    }
}
