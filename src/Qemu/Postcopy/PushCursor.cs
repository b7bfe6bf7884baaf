using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Which page is pushed next: those of a recorded working set in its order, then all that have content, by address.
/// </summary>
/// <param name="ram">What was sent.</param>
/// <param name="contents">What is zero.</param>
/// <param name="settings">Whether, and what first.</param>
internal sealed class PushCursor(GuestRam ram, IPageContents contents, PostcopySettings settings)
{
    // A look at so many pages takes about a millisecond; requests are read in between.
    private const ulong MaxSearched = 1 << 18;
    private readonly IReadOnlyList<MemoryPageRange> _recorded = settings.Replay?.Runs ?? [];
    private int _run;
    private ulong _inRun;
    private ulong _at;
    private ulong _unsentAt;

    /// <summary>Pages of the working set are left.</summary>
    public bool IsReplaying => _run < _recorded.Count;

    /// <summary>The next unit to push.</summary>
    /// <param name="unit">The pages.</param>
    /// <param name="isSearching">None was found yet, and the search is to be continued.</param>
    public bool TryNext(out MemoryPageRange unit, out bool isSearching)
    {
        isSearching = false;
        for (; _run < _recorded.Count; (_run, _inRun) = (_run + 1, 0))
        {
            while (_inRun < _recorded[_run].Count)
            {
                var page = _recorded[_run].Start.Plus(_inRun++);
                if (ram.IsSent(page))
                    continue;
                unit = ram.UnitOf(page);
                return true;
            }
        }

        unit = default;
        return settings.Pushes && TryFind(ref _at, withZeros: false, out unit, out isSearching);
    }

    /// <summary>The next unit that was not sent, once all that has content was: it is of zeros.</summary>
    /// <param name="unit">The pages.</param>
    /// <param name="isSearching">None was found yet, and the search is to be continued.</param>
    public bool TryNextUnsent(out MemoryPageRange unit, out bool isSearching) =>
        TryFind(ref _unsentAt, withZeros: true, out unit, out isSearching);

    /// <summary>Recovery: what was sent may be missing again.</summary>
    public void Restart() => (_run, _inRun, _at, _unsentAt) = (0, 0, 0, 0);

    private bool TryFind(ref ulong at, bool withZeros, out MemoryPageRange unit, out bool isSearching)
    {
        (unit, isSearching) = (default, false);
        for (ulong searched = 0; at < ram.Pages; at++)
        {
            if (searched++ == MaxSearched)
            {
                isSearching = true;
                return false;
            }

            var page = new MemoryPage(at);
            if (ram.IsSent(page) || (!withZeros && contents.IsZero(page)))
                continue;
            unit = ram.UnitOf(page);
            at = unit.End.Value;
            return true;
        }

        return false;
    }
}
