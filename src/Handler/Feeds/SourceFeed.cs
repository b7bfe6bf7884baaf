using Userfault.Fetch;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>Pages that come from sources: asked for, and put in place when they arrive.</summary>
internal sealed class SourceFeed : PageFeed
{
    private const int StarvedPollMs = 20;

    // Batches that met a changing address space: the guest's events go first.
    private readonly Queue<(PageBatch Batch, bool IsDemand)> _held = new();
    private readonly HashSet<ulong> _waitedFor = [];
    private readonly Fetches _fetches;
    private readonly Placement _placement;
    private readonly PagerSettings _settings;
    private long? _heldSinceNs;

    /// <summary>A feed from page sources.</summary>
    /// <param name="delivery">Shared with the loop; not owned.</param>
    /// <param name="sources">The sources; shared with other pagers.</param>
    /// <param name="wake">Wakes the pager's thread.</param>
    /// <exception cref="ProtocolException">Huge pages.</exception>
    public SourceFeed(PageDelivery delivery, SourceSet sources, EventFd wake)
        : base(delivery)
    {
        (_placement, _settings) = (delivery.Placement, delivery.Settings);
        if (_placement.PagesPerGranule > 1)
        {
            throw new ProtocolException(
                "huge pages are served from a local image alone: use --image, or guest memory of 4 KiB pages"
            );
        }

        _fetches = new Fetches(sources, _settings.Fetch, wake.Signal);
    }

    /// <inheritdoc/>
    public override int SleepMs =>
        _held.Count > 0 ? Delivery.StallPollMs
        : _fetches.IsStarved ? StarvedPollMs
        : _fetches.SleepMs;

    /// <inheritdoc/>
    public override string? Lost =>
        _heldSinceNs is { } since && Delivery.NowNs - since > _settings.StallPatienceNs
            ? $"pages that have arrived could not be put in place for "
                + $"{_settings.StallPatienceNs / 1_000_000_000.0:0.#} s: {_placement.Error}"
        : _fetches.IsStarved && _fetches.LostForNs > _settings.SourcePatienceNs
            ? $"no page source for {_settings.SourcePatienceNs / 1_000_000_000.0:0.#} s"
        : null;

    /// <inheritdoc/>
    public override bool OnFault(MemoryPage memoryPage)
    {
        Demand(memoryPage);
        return true;
    }

    /// <inheritdoc/>
    public override bool OnRequest(MemoryPage memoryPage)
    {
        Demand(memoryPage);
        return true;
    }

    // What the guest has just come to wait for is asked for before what has arrived is put in place.
    /// <inheritdoc/>
    public override bool Work()
    {
        var nowNs = Delivery.NowNs;
        _fetches.Go(nowNs);
        _fetches.Tick(nowNs);
        var any = TakeArrivals();
        Delivery.Counters.SetFetches(_fetches.Counters, _fetches.FailedRequests);
        return any;
    }

    /// <inheritdoc/>
    // What arrives behind a batch that has to wait, waits as well, and must not keep the thread awake.
    public override bool TryPark() => _held.Count > 0 || _fetches.Park();

    /// <inheritdoc/>
    public override void Unpark() => _fetches.Unpark();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _fetches.Dispose();
        while (_held.TryDequeue(out var held))
            held.Batch.Release();
    }

    /// <inheritdoc/>
    protected override bool Push(PushOrder order)
    {
        var started = false;
        var nowNs = Delivery.NowNs;
        var window = _settings.PushPages * (ulong)_settings.PushesInFlight;
        while (_fetches.PushedInFlight < window && PushOnce(order, nowNs))
            started = true;
        if (started)
        {
            _fetches.Go(nowNs);
            Delivery.Counters.SetFetches(_fetches.Counters, _fetches.FailedRequests);
        }

        return MayPush = started;
    }

    // Many runs travel together, or each would pay for the way.
    private bool PushOnce(PushOrder order, long nowNs)
    {
        ulong pages = 0;
        for (
            var runs = 0;
            pages < _settings.PushPages
                && runs < MaxRunsAtOnce
                && order.TryNext(_settings.PushPages - pages, out var range);
            runs++
        )
        {
            _fetches.Want(range, FetchPriority.Background, nowNs);
            pages += range.Count;
        }
        return pages > 0;
    }

    private void Demand(MemoryPage memoryPage)
    {
        if (!_waitedFor.Add(memoryPage.Value))
            return;
        var nowNs = Delivery.NowNs;
        if (!Delivery.Claims.IsOpen(memoryPage))
        {
            // Pushed, and on its way or about to be.
            _fetches.Promote(memoryPage, nowNs);
            return;
        }
        var window = Delivery.Claims.WindowAround(memoryPage, _placement.ChunkPages);
        Delivery.Claims.Claim(window);
        // The page itself at the front, then what lies above it, then what lies below.
        var front = new MemoryPageRange(memoryPage, window.End.Value - memoryPage.Value);
        _fetches.Want(front, FetchPriority.Demand, nowNs);
        if (front.Count < window.Count)
            _fetches.Want(window with { Count = window.Count - front.Count }, FetchPriority.Demand, nowNs);
    }

    private bool TakeArrivals()
    {
        var any = false;
        while (_held.TryPeek(out var held))
        {
            if (PlaceBatch(held.Batch, held.IsDemand) == PlaceResult.Again)
                return any;
            _heldSinceNs = null;
            Release(_held.Dequeue().Batch);
            any = true;
        }
        while (Delivery.End == PagerEnd.None && _fetches.TryTake(Delivery.NowNs, out var batch, out var isDemand))
        {
            any = true;
            MayPush = true;
            if (PlaceBatch(batch!, isDemand) == PlaceResult.Again)
            {
                _held.Enqueue((batch!, isDemand));
                _heldSinceNs ??= Delivery.NowNs;
                return false;
            }
            Release(batch!);
        }
        return TakeNotSent() || any;
    }

    // A node on the way takes these pages to be in this guest's memory. It goes by what it has heard, the guest by what
    // it has.
    private bool TakeNotSent()
    {
        var any = false;
        while (_fetches.TryTakeNotSent(out var memoryPage))
        {
            any = true;
            if (Delivery.Missing.IsSet(memoryPage.Value))
                _fetches.Want(new MemoryPageRange(memoryPage, 1), FetchPriority.Demand, Delivery.NowNs);
            else
                Delivery.Claims.Release(new MemoryPageRange(memoryPage, 1));
        }
        _fetches.Go(Delivery.NowNs);
        return any;
    }

    // In place: what was claimed for it is open again, should the guest give it back.
    private void Release(PageBatch batch)
    {
        for (var i = 0; i < batch.Count; )
        {
            var run = new MemoryPageRange(batch[i].Page, 1);
            for (i++; i < batch.Count && batch[i].Page == run.End; i++)
                run = run with { Count = run.Count + 1 };
            Delivery.Release(run);
        }
        batch.Release();
    }

    private unsafe PlaceResult PlaceBatch(PageBatch batch, bool isDemandFetch)
    {
        for (var i = 0; i < batch.Count; )
        {
            ref readonly var page = ref batch[i];
            if (!Delivery.Missing.IsSet(page.Page.Value))
            {
                // Put in place by another request, or given back meanwhile: then who waits for it gets zeros.
                Delivery.Counters.CountDropped();
                if (_waitedFor.Contains(page.Page.Value))
                {
                    var zeroed = _placement.PlaceZero(page.Page);
                    if (!Delivery.Settle(zeroed))
                        return zeroed;
                    _waitedFor.Remove(page.Page.Value);
                }
                i++;
                continue;
            }
            var run = RunAt(batch, i);
            var isWaitedFor = IsWaitedFor(page.Page, run);
            var isDemand = isDemandFetch || isWaitedFor;
            var result = Delivery.Put(page.Page, run, page.Bytes, isDemand, _placement.UsualWay);
            if (!Delivery.Settle(result))
                return result;
            if (isWaitedFor && !EndWaiting(page.Page, run))
                return PlaceResult.Again;
            i += (int)run;
        }
        return PlaceResult.Done;
    }

    // Pages one after another in the guest and in memory, all missing: one call.
    private unsafe ulong RunAt(PageBatch batch, int index)
    {
        ref readonly var first = ref batch[index];
        var run = 1;
        for (; index + run < batch.Count; run++)
        {
            ref readonly var next = ref batch[index + run];
            if (next.Page.Value != first.Page.Value + (ulong)run || !Delivery.Missing.IsSet(next.Page.Value))
                break;
            if (first.Bytes == null ? next.Bytes != null : next.Bytes != first.Bytes + ((long)run << Page.Shift))
                break;
        }
        return (ulong)run;
    }

    private bool IsWaitedFor(MemoryPage first, ulong pages)
    {
        if (_waitedFor.Count == 0)
            return false;
        for (ulong i = 0; i < pages; i++)
        {
            if (_waitedFor.Contains(first.Value + i))
                return true;
        }
        return false;
    }

    // False where the address space is changing.
    private bool EndWaiting(MemoryPage first, ulong pages)
    {
        for (ulong i = 0; i < pages && _waitedFor.Count > 0; i++)
        {
            var memoryPage = first.Plus(i);
            if (!_waitedFor.Contains(memoryPage.Value))
                continue;
            var revealed = _placement.Reveal(memoryPage);
            if (!Delivery.Settle(revealed))
                return revealed != PlaceResult.Again;
            _waitedFor.Remove(memoryPage.Value);
        }
        return true;
    }
}
