using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

// Pages that come from sources: asked for, and put in place when they arrive.
public sealed unsafe partial class VmPager
{
    // Batches that met a changing address space: the guest's events go first.
    private readonly Queue<(PageBatch Batch, bool IsDemand)> _held = new();
    private readonly HashSet<ulong> _waitedFor = [];

    private void Demand(MemoryPage memoryPage)
    {
        if (!_waitedFor.Add(memoryPage.Value))
            return;
        var nowNs = NowNs;
        if (!_claims.IsOpen(memoryPage))
        {
            // Pushed, and on its way or about to be.
            _fetches!.Promote(memoryPage, nowNs);
            return;
        }
        var window = _claims.WindowAround(memoryPage, _settings.ChunkPages);
        _claims.Claim(window);
        // The page itself at the front, then what lies above it, then what lies below.
        var front = new MemoryPageRange(memoryPage, window.End.Value - memoryPage.Value);
        _fetches!.Want(front, FetchPriority.Demand, nowNs);
        if (front.Count < window.Count)
            _fetches.Want(window with { Count = window.Count - front.Count }, FetchPriority.Demand, nowNs);
    }

    private bool PushFetches()
    {
        var started = false;
        var nowNs = NowNs;
        var window = _settings.PushPages * (ulong)_settings.PushesInFlight;
        while (_fetches!.PushedInFlight < window && PushOnce(nowNs))
            started = true;
        if (started)
            _fetches.Go(nowNs);
        _mayPush = started;
        return started;
    }

    // Runs of a working set are short: many of them travel together, or each would pay for the way.
    private bool PushOnce(long nowNs)
    {
        ulong pages = 0;
        for (
            var runs = 0;
            pages < _settings.PushPages
                && runs < MostRunsAtOnce
                && _order!.TryNext(_settings.PushPages - pages, out var range);
            runs++
        )
        {
            _fetches!.Want(range, FetchPriority.Background, nowNs);
            pages += range.Count;
        }
        return pages > 0;
    }

    private bool TakeArrivals()
    {
        var any = false;
        while (_held.TryPeek(out var held))
        {
            if (PlaceBatch(held.Batch, held.IsDemand) == PlaceResult.Again)
                return any;
            Release(_held.Dequeue().Batch);
            any = true;
        }
        while (_end == PagerEnd.None && _fetches!.TryTake(NowNs, out var batch, out var isDemand))
        {
            any = true;
            _mayPush = true;
            if (PlaceBatch(batch!, isDemand) == PlaceResult.Again)
            {
                _held.Enqueue((batch!, isDemand));
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
        while (_fetches!.TryTakeNotSent(out var memoryPage))
        {
            any = true;
            if (_vm.State.Missing.IsSet(memoryPage.Value))
                _fetches.Want(new MemoryPageRange(memoryPage, 1), FetchPriority.Demand, NowNs);
            else
                _claims.Release(new MemoryPageRange(memoryPage, 1));
        }
        _fetches.Go(NowNs);
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
            _claims.Release(run);
        }
        batch.Release();
    }

    private PlaceResult PlaceBatch(PageBatch batch, bool isDemandFetch)
    {
        for (var i = 0; i < batch.Count; )
        {
            ref readonly var page = ref batch[i];
            if (!_vm.State.Missing.IsSet(page.Page.Value))
            {
                // Put in place by another request, or given back meanwhile: then who waits for it gets zeros.
                Counters.CountDropped();
                if (_waitedFor.Contains(page.Page.Value) && ZeroWaitedFor(page.Page) is var zeroed && !Settle(zeroed))
                    return zeroed;
                i++;
                continue;
            }
            var run = RunAt(batch, i);
            var isWaitedFor = IsWaitedFor(page.Page, run);
            var isDemand = isDemandFetch || isWaitedFor;
            var result = Put(page.Page, run, page.Bytes, isDemand, throughUffd: _vm.Memfd is null);
            if (!Settle(result))
                return result;
            if (isWaitedFor && !EndWaiting(page.Page, run))
                return PlaceResult.Again;
            i += (int)run;
        }
        return PlaceResult.Done;
    }

    // Pages one after another in the guest and in memory, all missing: one call.
    private ulong RunAt(PageBatch batch, int index)
    {
        ref readonly var first = ref batch[index];
        var run = 1;
        for (; index + run < batch.Count; run++)
        {
            ref readonly var next = ref batch[index + run];
            if (next.Page.Value != first.Page.Value + (ulong)run || !_vm.State.Missing.IsSet(next.Page.Value))
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
            // Written into the guest_memfd: who sleeps on it in the monitor's own mapping still does.
            if (_vm.Memfd is not null && ZeroWaitedFor(memoryPage) is var mapped && !Settle(mapped))
                return mapped != PlaceResult.Again;
            _waitedFor.Remove(memoryPage.Value);
        }
        return true;
    }

    private PlaceResult ZeroWaitedFor(MemoryPage memoryPage)
    {
        var result = _vm.Map.TryAtPage(memoryPage, out var region)
            ? _placer.PlaceZero(memoryPage, region)
            : PlaceResult.Done;
        if (result == PlaceResult.Done)
            _waitedFor.Remove(memoryPage.Value);
        return result;
    }
}
