using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

// The guest's faults, the events of its memory, and the monitor's requests.
internal sealed unsafe partial class VmPager
{
    private readonly Action<FaultRequest> _serve;

    private bool TakeMessages()
    {
        var count = _vm.State.Read(_vm.Uffd);
        if (count == 0)
            return false;
        var messages = _vm.State.Messages;
        // Removals first: the kernel may queue a fault ahead of the removal that caused it.
        for (var i = 0; i < count; i++)
        {
            if (messages[i].Kind == UffdEventKind.Pagefault)
                continue;
            OnEvent(messages[i]);
            _vm.State.Heeded(i);
        }
        _feed.BeginFaults(areMany: count >= _settings.MinBatch);
        var now = _delivery.NowNs;
        for (var i = 0; i < count && _delivery.End == PagerEnd.None; i++)
        {
            if (messages[i].Kind != UffdEventKind.Pagefault)
                continue;
            Counters.CountFault(messages[i].ThreadId);
            var key = FaultKey.Of(messages[i]);
            if (!OnFault(key, now, isNew: true))
                _delivery.Deferred.Add(key, now);
        }
        _feed.EndFaults();
        return true;
    }

    private bool RetryDeferred()
    {
        var count = _delivery.Deferred.TakeAll();
        _feed.BeginFaults(areMany: false);
        var now = _delivery.NowNs;
        for (var i = 0; i < count && _delivery.End == PagerEnd.None; i++)
        {
            var key = _delivery.Deferred[i];
            var isServed = key.IsRequest
                ? OnRequest(new MemoryPage(key.Address >> Page.Shift))
                : OnFault(key, now, isNew: false);
            if (!isServed)
                _delivery.Deferred.Add(key, now);
        }
        _feed.EndFaults();
        if (_delivery.Deferred.EndTaken() is { } oldest && now - oldest.SinceNs > _settings.StallPatienceNs)
            _delivery.FailStalled(oldest.Key.Address);
        return _delivery.Deferred.Count < count;
    }

    // Events that another process had read when it died. Heeding one twice does no harm.
    private void TakeLeftEvents()
    {
        for (var i = 0; i < VmState.MessagesAtOnce; i++)
        {
            var message = _vm.State.Messages[i];
            // A fork's descriptor was that process's own.
            if (message.Kind is UffdEventKind.Remove or UffdEventKind.Unmap or UffdEventKind.Remap)
                OnEvent(message);
            _vm.State.Heeded(i);
        }
    }

    // What another process was putting in place when it died, by the way it went. Pages of sources are written again
    // before anybody sees them, as each is that arrives.
    private void TakeLeftPlacing()
    {
        if (!_vm.State.TryGetPlacing(out var range, out var throughUffd))
            return;
        var way = throughUffd ? PlaceWay.Userfaultfd : PlaceWay.File;
        for (ulong i = 0; i < range.Count && _delivery.End == PagerEnd.None; i++)
        {
            var page = range.Start.Plus(i);
            if (page.Value >= _vm.Map.PageLimit || !_vm.State.Missing.IsSet(page.Value))
                continue;
            var since = _delivery.NowNs;
            var result = _feed.PlaceLeft(page, way);
            while (result == PlaceResult.Again && _delivery.End == PagerEnd.None)
            {
                _delivery.LookForShortage();
                if (!TakeMessages())
                    _vm.Uffd.WaitReadable(_delivery.StallPollMs);
                if (_delivery.NowNs - since > _settings.StallPatienceNs)
                    _delivery.FailStalled(page.Value << Page.Shift);
                result = _feed.PlaceLeft(page, way);
            }
            _ = _delivery.Settle(result);
        }
        _vm.State.EndPlacing();
    }

    private void OnEvent(in UffdMessage message)
    {
        switch (message.Kind)
        {
            case UffdEventKind.Remove:
                _delivery.Placement.Remove(message.Start, message.End);
                // A vCPU that asked for such a page waits for no content any more.
                if (_monitor.HasRequests)
                    _monitor.Answer(_delivery.IsInPlace);
                break;
            case UffdEventKind.Unmap:
                _delivery.Placement.Unmap(message.Start, message.End);
                break;
            case UffdEventKind.Fork:
                // Refused at the handshake, where it can be seen. The descriptor stays open for as long as this process
                // lives: with the last copy gone the child would read zeros.
                _delivery.Fail("the monitor forked, and its userfaultfd reports that: its child cannot be served");
                break;
            default:
                _delivery.Fail($"event {message.Kind} of the monitor's memory: guest memory must stay where it is");
                break;
        }
    }

    // False where it cannot be served now: again later.
    private bool OnFault(FaultKey fault, long nowNs, bool isNew)
    {
        if (!_vm.Map.TryAtAddress(fault.Address, out var region))
        {
            _delivery.Fail($"a fault at 0x{fault.Address:x}, outside the regions that the monitor handed over");
            return true;
        }
        var page = _delivery.Placement.GranuleOf(region.GfnAt(fault.Address));
        if (fault.IsWriteProtect)
            return OnWriteProtected(page, region);
        if (_feed.TryJoin(page))
        {
            // Read before the call that woke it.
            Counters.CountStale();
            return true;
        }
        if (fault.IsMinor && _delivery.Placement.IsInPlaceIfCached(page))
            return IsServed(_delivery.Placement.MapCached(page, region));
        if (!_vm.State.Missing.IsSet(page.Value))
            return IsServed(_delivery.Placement.PlaceZero(page, region));
        _delivery.TakeBack(page);
        _feed.Order?.OnFault(page);
        if (isNew)
            _delivery.Faults.Begin(page, nowNs);
        return _feed.OnFault(page);
    }

    private bool OnWriteProtected(MemoryPage page, in GuestRegion region)
    {
        if (Counters.WriteProtectedFaults == 0)
        {
            _delivery.Notice(
                PagerNotice.WriteProtected,
                $"a write to a page that the monitor has write-protected, at 0x{region.AddressOf(page):x}: the"
                    + " protection is lifted, here and on further such writes"
            );
        }
        return IsServed(_delivery.Placement.LiftProtection(page, region));
    }

    private bool IsServed(PlaceResult result) => _delivery.Settle(result) || result != PlaceResult.Again;

    private void OnRequest(FaultRequest request)
    {
        Counters.CountRequest();
        var page = new MemoryPage(request.Offset >> Page.Shift);
        if (request.Offset % Page.Size != 0 || !_vm.Map.TryAtPage(page, out _))
        {
            throw new ProtocolException(
                $"a fault request for offset {request.Offset}, which is no page of guest memory"
            );
        }
        var now = _delivery.NowNs;
        if (_vm.State.Missing.IsSet(page.Value))
            _delivery.Faults.Begin(page, now);
        if (!OnRequest(page))
            _delivery.Deferred.Add(FaultKey.OfRequest(request.Offset), now);
    }

    private bool OnRequest(MemoryPage page)
    {
        if (!_vm.State.Missing.IsSet(page.Value))
        {
            // In place already, or the monitor set the bit anew.
            _delivery.Placement.ShowInPlace(page);
            _monitor.Answer(_delivery.IsInPlace);
            return true;
        }
        _delivery.TakeBack(page);
        _feed.Order?.OnFault(page);
        return _feed.OnRequest(page);
    }
}
