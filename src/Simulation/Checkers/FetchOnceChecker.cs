using Userfault.Actors;

namespace Userfault.Simulation;

/// <summary>
/// A page is fetched once, apart from hedges and from requests that were in flight when something failed. Counted per
/// request: a request permits one more fetch if it ended without the page or was given up with its answer unread, and
/// one concurrent request by the same fetcher counts as its hedge, either of slow demand or of a background page that
/// became demand in flight; without hedges, neither is requested again. When everything is requested again, each page
/// that had been requested and is not in place may be fetched once more.
/// </summary>
internal sealed class FetchOnceChecker : Checker
{
    private Fetches[] _pages = [];

    /// <inheritdoc/>
    public override string Name => "fetch-once";

    /// <inheritdoc/>
    protected override void Begin() =>
        _pages = [.. Enumerable.Range(0, View.Plan.Pages).Select(static _ => new Fetches())];

    /// <inheritdoc/>
    public override void OnMessage(in SimStep step)
    {
        switch (step.Message)
        {
            case FetcherProtocol.Answered answered:
                foreach (ref readonly var page in answered.Batch.Pages)
                    _pages[page.Page.Value].Read(step.Path);
                break;
            // All pages that were requested and are not in place are requested once more. The same holds when a slot
            // has moved, since its waiters repeat their accesses.
            case MemslotProtocol.AskAgain or MemslotProtocol.Activate:
                foreach (var slot in View.Slots)
                    AskedAgain(slot);
                break;
        }
    }

    /// <inheritdoc/>
    public override void OnReplaced(MemslotPager former) => AskedAgain(former);

    /// <inheritdoc/>
    public override void OnRequest(SwarmRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (var page in request.Pages)
        {
            var fetches = _pages[page];
            fetches.Add(request, View.Plan.Hedge);
            if (fetches.Asked > 1 + fetches.Excused)
            {
                Violate(
                    $"page {page} is fetched for the {fetches.Asked}. time, and {fetches.Excused} may have been lost "
                        + $"or were hedges"
                );
            }
        }
    }

    /// <inheritdoc/>
    public override void OnAnswer(SwarmRequest request, IReadOnlySet<ulong> delivered)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(delivered);
        foreach (var page in request.Pages)
            _pages[page].End(request, delivered.Contains(page));
    }

    private void AskedAgain(MemslotPager slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        for (var page = slot.Pages.Start; page < slot.Pages.End; page = page.Plus(1))
        {
            if (slot.IsAskedFor(page))
                _pages[page.Value].Excused++;
        }
    }

    // The fetches of one page.
    private sealed class Fetches
    {
        private readonly List<Copy> _copies = [];

        public int Asked { get; private set; }

        public int Excused { get; set; }

        public void Add(SwarmRequest request, bool hedges)
        {
            Asked++;
            var copy = new Copy(request);
            foreach (var other in _copies.Where(c => c.Request.Fetcher == request.Fetcher))
            {
                if (hedges && other is { IsOnTheWire: true, HasTwin: false })
                {
                    (other.HasTwin, copy.HasTwin) = (true, true);
                    Excused++;
                    break;
                }

                // A fetcher gives up a request that is slow, or whose source it does not trust, although its answer is
                // already in the mailbox.
                if (other is { IsOnTheWire: false, IsRead: false, IsExcused: false })
                {
                    Excuse(other);
                    break;
                }
            }

            _copies.Add(copy);
        }

        public void End(SwarmRequest request, bool isHere)
        {
            var index = _copies.FindIndex(c => c.Request == request);
            if (index < 0)
                return;
            _copies[index].IsOnTheWire = false;
            if (isHere)
                return;
            Excuse(_copies[index]);
            _copies.RemoveAt(index);
        }

        public void Read(string fetcher)
        {
            foreach (var copy in _copies)
            {
                if (!copy.IsOnTheWire && copy.Request.Fetcher == fetcher)
                    copy.IsRead = true;
            }
        }

        private void Excuse(Copy copy)
        {
            if (copy.IsExcused)
                return;
            copy.IsExcused = true;
            Excused++;
        }
    }

    // A page in flight in one request, until it is in place.
    private sealed class Copy(SwarmRequest request)
    {
        public SwarmRequest Request => request;

        public bool IsOnTheWire { get; set; } = true;

        public bool IsRead { get; set; }

        public bool IsExcused { get; set; }

        public bool HasTwin { get; set; }
    }
}
