using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Simulation;

/// <summary>
/// A page is fetched once, beyond what was on its way when something failed, and hedges: whatever ends without the page, and
/// whatever was asked for and is not in place when all is asked for again, may be asked for once more.
/// </summary>
public sealed class FetchOnceChecker : Checker
{
    private int[] _asked = [];
    private int[] _excused = [];
    private int[][] _outstanding = [];

    /// <inheritdoc/>
    public override string Name => "fetch-once";

    /// <inheritdoc/>
    protected override void Begin()
    {
        _asked = new int[View.Plan.Pages];
        _excused = new int[View.Plan.Pages];
        _outstanding = [.. Enumerable.Range(0, View.Plan.Fetchers).Select(_ => new int[View.Plan.Pages])];
    }

    /// <inheritdoc/>
    public override void OnMessage(in SimStep step)
    {
        if (step.Message is not MemslotProtocol.AskAgain) return;
        // Which of the missing ones are wanted already may still be in somebody's mailbox.
        for (var page = 0; page < _asked.Length; page++)
        {
            if (View.IsMissing(new Gfn((ulong)page))) _excused[page]++;
        }
    }

    /// <inheritdoc/>
    public override void OnRequest(SwarmSource source, IReadOnlyList<ulong> pages)
    {
        foreach (var page in pages)
        {
            // Twice at one fetcher at the same time is a hedge. And a fetcher may hedge or give up a request whose answer has
            // come to its mailbox and no further.
            var isOutstanding = _outstanding[source.Fetcher][page]++ > 0;
            var looksForSlow = View.Plan.TimeoutNs > 0 || View.Plan.Hedge;
            var isUnread = looksForSlow && !isOutstanding && _asked[page] > 0 && View.IsMissing(new Gfn(page));
            if ((isOutstanding && View.Plan.Hedge) || isUnread) _excused[page]++;
            if (++_asked[page] <= 1 + _excused[page]) continue;
            Violate($"page {page} is fetched for the {_asked[page]}. time, and {_excused[page]} may have been lost or were hedges");
        }
    }

    /// <inheritdoc/>
    public override void OnAnswer(SwarmSource source, IReadOnlyList<ulong> asked, IReadOnlySet<ulong> delivered)
    {
        foreach (var page in asked)
        {
            _outstanding[source.Fetcher][page]--;
            if (!delivered.Contains(page)) _excused[page]++;
        }
    }
}
