using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Contents that are here already, held back for a while each: a network's latency, for experiments. Pages that were
/// asked for together arrive together.
/// </summary>
/// <param name="inner">The contents; owned.</param>
/// <param name="latencyNs">How long each page takes.</param>
/// <param name="now">The clock, in ns.</param>
internal sealed class DelayedContents(IPageContents inner, long latencyNs, Func<long> now) : IPageContents
{
    private readonly Queue<(MemoryPage Page, long AtNs)> _onTheirWay = new();
    private readonly HashSet<ulong> _asked = [];
    private readonly HashSet<ulong> _here = [];

    /// <inheritdoc/>
    public ulong ContentPages => inner.ContentPages;

    /// <inheritdoc/>
    public string? Problem => inner.Problem;

    /// <inheritdoc/>
    public string? FinalProblem => inner.FinalProblem;

    /// <inheritdoc/>
    public PostcopyEnd ProblemEnd => inner.ProblemEnd;

    /// <inheritdoc/>
    public long NextArrivalNs => _onTheirWay.TryPeek(out var next) ? next.AtNs : long.MaxValue;

    /// <inheritdoc/>
    public bool IsZero(MemoryPage page) => inner.IsZero(page);

    /// <inheritdoc/>
    public bool IsHere(MemoryPage page, FetchPriority priority)
    {
        if (_here.Contains(page.Value))
            return true;
        if (_asked.Add(page.Value))
            _onTheirWay.Enqueue((page, now() + latencyNs));
        return false;
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Read(MemoryPage page)
    {
        _ = _here.Remove(page.Value);
        return inner.Read(page);
    }

    /// <inheritdoc/>
    public bool TryTakeArrived(long nowNs, out MemoryPage page)
    {
        page = default;
        if (!_onTheirWay.TryPeek(out var next) || next.AtNs > nowNs)
            return false;
        page = _onTheirWay.Dequeue().Page;
        _ = _asked.Remove(page.Value);
        return _here.Add(page.Value);
    }

    /// <inheritdoc/>
    public void WakeOn(Action wake) => inner.WakeOn(wake);

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();
}
