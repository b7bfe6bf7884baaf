using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Pages;

namespace Userfault.Fetch;

// How the engine handles the answers of sources.
public sealed partial class FetchCore
{
    /// <summary>
    /// Pages have arrived. Wanted pages go to their requesters (<see cref="FetchEffectKind.Deliver"/>); pages that are
    /// late, arrive twice, or were never requested are dropped. If the batch is the last of its request, the pages of
    /// the request that did not arrive are requested again.
    /// </summary>
    /// <param name="batch">The pages; the engine's from now on.</param>
    /// <param name="nowNs">The time.</param>
    public void OnAnswer(PageBatch batch, long nowNs)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var requestId = batch.RequestId;
        var isLast = batch.IsLast;
        var priority = RequestOf(requestId)?.Priority ?? FetchPriority.Background;
        var owner = -1;
        var kept = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            ref readonly var content = ref batch[i];
            if (!TryTakePage(requestId, content, out var requester, out var others))
                continue;
            if (owner < 0)
                owner = requester;
            if (requester == owner)
                batch.Move(i, kept++);
            else
                Share(requester, batch, content);
            while (_others.TryTakeFirst(ref others, out var other))
                Share(other, batch, content);
        }

        batch.Truncate(kept);
        foreach (var (requester, shared) in _shared)
        {
            _effects.Enqueue(
                new FetchEffect(FetchEffectKind.Deliver, Requester: requester, Batch: shared, Priority: priority)
            );
        }

        _shared.Clear();
        if (kept > 0)
        {
            _effects.Enqueue(
                new FetchEffect(FetchEffectKind.Deliver, Requester: owner, Batch: batch, Priority: priority)
            );
        }
        else
        {
            batch.Release();
        }

        if (isLast && RequestOf(requestId) is { } request)
            OnEnd(request, nowNs);
        LoseUntrusted();
    }

    /// <summary>
    /// A request ended without some or all of its pages. They are requested again, ahead of other pages.
    /// </summary>
    public void OnFailed(ulong requestId, FetchFailure failure)
    {
        if (RequestOf(requestId) is not { } request)
            return;
        var source = request.Source;
        if (failure == FetchFailure.NotNeeded && request.Priority == FetchPriority.Background)
        {
            DropUnsent(request);
        }
        else
        {
            // NotNeeded is valid only for background requests; on a demand request it is a protocol error. A request
            // that was cancelled here is already forgotten, so a source that answers Cancelled to a known request has
            // refused it.
            if (failure != FetchFailure.SourceLost)
                Distrust(request);
            GiveBack(request);
            if (failure == FetchFailure.SourceLost)
                Lose(source, SourceLoss.ConnectionLost);
        }

        LoseUntrusted();
    }

    private bool TryTakePage(ulong requestId, in PageContent content, out int requester, out int others)
    {
        (requester, others) = (-1, 0);
        var memoryPage = content.Page;
        ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
        var isOnItsWay = !Unsafe.IsNullRef(ref page) && page.IsOnItsWay;
        if (RequestOf(requestId) is not { } request)
        {
            // The request was given up (late), or no such request was ever made (bad).
            if (requestId != 0 && requestId <= _numbers.Last)
                _tally.Late++;
            else
                _tally.Bad++;
            return false;
        }

        if (!(isOnItsWay && (page.Request == requestId || page.Hedge == requestId)) && !request.Holds(memoryPage))
        {
            _tally.Bad++;
            Distrust(request);
            return false;
        }

        _sources.OnPage(request.Source);
        if (!isOnItsWay)
        {
            _tally.Late++;
            return false;
        }

        (requester, others) = (page.Requester, page.OtherRequesters);
        Brought(page.Request);
        Brought(page.Hedge);
        if (!page.IsWaitedFor)
            BackgroundHeld--;
        _pages.Remove(memoryPage.Value);
        _tally.Delivered++;
        if (content.Kind == PageContentKind.Zero)
            _tally.Zero++;
        if (content.Kind == PageContentKind.Duplicate)
            _tally.Duplicates++;
        return true;
    }

    // A request whose pages are no longer wanted stays open until it ends or is overdue: its source still owes an
    // answer, and whether that answer arrives is evidence about the source.
    private void Brought(ulong requestId)
    {
        if (requestId != 0 && RequestOf(requestId) is { } request)
            request.Wanted--;
    }

    private void Share(int requester, PageBatch batch, in PageContent content)
    {
        foreach (var (other, shared) in _shared)
        {
            if (other != requester)
                continue;
            shared.AddCopy(content);
            return;
        }

        var sibling = batch.NewSibling();
        sibling.AddCopy(content);
        _shared.Add((requester, sibling));
    }

    private void OnEnd(SourceRequest request, long nowNs)
    {
        var latencyNs = nowNs - request.SentNs;
        Latency.Record(latencyNs);
        if (request.Priority == FetchPriority.Background)
        {
            _room.OnBackground(isDemandWaiting: _outstanding > _outstandingBackground);
            _hedges.OnBackground(latencyNs);
        }
        else if (!request.IsHedge)
        {
            _room.OnDemand(latencyNs);
            _hedges.OnDemand(latencyNs);
        }

        if (request.Wanted > 0)
            Distrust(request);
        else if (!request.WasBad)
            _sources.OnGoodAnswer(request.Source);
        GiveBack(request);
    }

    // A node between here and the source assumes that these pages are in place. A page that a vCPU waits for, or that
    // several requesters want, is requested again as demand.
    private void DropUnsent(SourceRequest request)
    {
        foreach (var range in request.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                var memoryPage = range.Start.Plus(i);
                ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
                if (Unsafe.IsNullRef(ref page) || page.Request != request.Id || page.Hedge != 0)
                    continue;
                if (page.IsWaitedFor || page.OtherRequesters != 0)
                {
                    if (!page.IsWaitedFor)
                        BackgroundHeld--;
                    page.IsWaitedFor = true;
                    continue;
                }

                _effects.Enqueue(new FetchEffect(FetchEffectKind.NotSent, Requester: page.Requester, Page: memoryPage));
                request.Wanted--;
                Forget(memoryPage, ref page);
            }
        }

        GiveBack(request);
    }

    // One answer counts as at most one wrong answer, however many of its pages are wrong.
    private void Distrust(SourceRequest request)
    {
        if (request.WasBad)
            return;
        request.WasBad = true;
        _sources.OnBadAnswer(request.Source);
    }
}
