using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler;

/// <summary>
/// Keeps pages that nobody waits for out of a monitor's memory where its cgroup has a limit: pages that a handler puts
/// in place are charged to the monitor, and beyond the limit the kernel kills it. Where what is missing does not fit
/// below the limit, half of the limit is left to pages that the guest touches. On the pager's thread alone, except
/// where said otherwise; looking allocates nothing, and happens once per some MiB.
/// </summary>
internal sealed class MemoryRoom : IDisposable
{
    private const long MaxPagesUnseen = 16384;
    private const long MinPagesUnseen = 128;
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly CgroupMemory _memory;
    private readonly PagerCounters _counters;
    private readonly Action<string> _say;
    private readonly ITimer _again;
    private long _seen = long.MinValue / 2;
    private long _unseen;
    private volatile bool _isDue;
    private bool _isTold;

    /// <summary>A watch over one VM's memory.</summary>
    /// <param name="memory">The cgroup that its pages are charged to.</param>
    /// <param name="counters">What was put in place so far.</param>
    /// <param name="say">Takes the line, once.</param>
    /// <param name="wake">Wakes the pager's thread, on another one.</param>
    public MemoryRoom(CgroupMemory memory, PagerCounters counters, Action<string> say, Action wake)
    {
        (_memory, _counters, _say) = (memory, counters, say);
        _again = TimeProvider.System.CreateTimer(
            _ =>
            {
                _isDue = true;
                wake();
            },
            null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    /// <summary>Are only pages to be brought that somebody waits for?</summary>
    public bool IsShort { get; private set; }

    /// <summary>
    /// Looks where so many pages have been put in place since the last time that it may have become short.
    /// </summary>
    /// <returns>True where <see cref="IsShort"/> has changed.</returns>
    public bool Look()
    {
        var placed = _counters.DemandPages + _counters.BackgroundPages;
        if (placed - _seen < _unseen && !_isDue)
            return false;
        (_seen, _isDue) = (placed, false);
        var was = IsShort;
        if (!_memory.TryLook(out var limit, out var left))
        {
            (_unseen, IsShort) = (MaxPagesUnseen, false);
            return was;
        }

        var missing = (ulong)Math.Max(0, _counters.MissingPages) << Page.Shift;
        var fits = left >= missing + (limit / 16);
        IsShort = !fits && left < (limit / 2) + (was ? limit / 16 : 0);
        _unseen = Math.Clamp((long)(left >> Page.Shift) / 8, MinPagesUnseen, MaxPagesUnseen);
        if (!IsShort)
            return was;
        _ = _again.Change(LookAgain, Timeout.InfiniteTimeSpan);
        if (_isTold)
            return !was;
        _isTold = true;
        _say(
            $"the cgroup of its memory has {left >> 20} of {limit >> 20} MiB left, and {missing >> 20} MiB are "
                + "missing: from here on a page comes when the guest touches it"
        );
        return !was;
    }

    /// <inheritdoc/>
    public void Dispose() => _again.Dispose();
}
