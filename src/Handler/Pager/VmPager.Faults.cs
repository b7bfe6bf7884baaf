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
        _feed.BeginFaults(areMany: count > 1);
        var now = PageDelivery.NowNs;
        for (var i = 0; i < count && _delivery.End == PagerEnd.None; i++)
        {
            if (messages[i].Kind != UffdEventKind.Pagefault)
                continue;
            Counters.CountFault(messages[i].ThreadId);
            if (!OnFault(messages[i].Address, now, isNew: true))
                _delivery.Deferred.Add(messages[i].Address);
        }
        _feed.EndFaults();
        return true;
    }

    private bool RetryDeferred()
    {
        var count = _delivery.Deferred.TakeAll();
        _feed.BeginFaults(areMany: false);
        for (var i = 0; i < count && _delivery.End == PagerEnd.None; i++)
        {
            if (!OnFault(_delivery.Deferred[i], 0, isNew: false))
                _delivery.Deferred.Keep(i);
        }
        _feed.EndFaults();
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
            var result = _feed.PlaceLeft(page, way);
            while (result == PlaceResult.Again)
            {
                _ = TakeMessages();
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
                break;
            case UffdEventKind.Unmap:
                _delivery.Placement.Unmap(message.Start, message.End);
                break;
            case UffdEventKind.Fork:
                // The child's memory is not this pager's business; its descriptor must not pile up.
                new OwnedFd(message.ForkedFd).Dispose();
                break;
            default:
                _delivery.Fail($"event {message.Kind} of the monitor's memory: guest memory must stay where it is");
                break;
        }
    }

    // False where the address space is changing: again later.
    private bool OnFault(ulong address, long nowNs, bool isNew)
    {
        if (!_vm.Map.TryAtAddress(address, out var region))
        {
            _delivery.Fail($"a fault at 0x{address:x}, outside the regions that the monitor handed over");
            return true;
        }
        var page = _delivery.Placement.GranuleOf(region.GfnAt(address));
        if (_feed.TryJoin(page))
        {
            // Read before the call that woke it.
            Counters.CountStale();
            return true;
        }
        if (!_vm.State.Missing.IsSet(page.Value))
        {
            var result = _delivery.Placement.PlaceZero(page, region);
            return _delivery.Settle(result) || result != PlaceResult.Again;
        }
        _feed.Order?.OnFault(page);
        if (isNew)
            _delivery.Faults.Begin(page, nowNs);
        return _feed.OnFault(page);
    }

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

        if (!_vm.State.Missing.IsSet(page.Value))
        {
            // In place already, or the monitor set the bit anew.
            _delivery.Placement.ShowInPlace(page);
            _monitor.Answer(_delivery.IsInPlace);
            return;
        }
        _delivery.Faults.Begin(page, PageDelivery.NowNs);
        _feed.Order?.OnFault(page);
        _feed.OnRequest(page);
    }
}
