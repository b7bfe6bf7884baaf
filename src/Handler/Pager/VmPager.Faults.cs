using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

// What guests wait for, and what is done while nobody waits.
public sealed unsafe partial class VmPager
{
    private readonly (ulong First, ulong Pages)[] _placedNow = new (ulong, ulong)[VmState.MessagesAtOnce];
    private readonly Action<FaultRequest> _serve;
    private readonly Func<ulong, bool> _isInPlace;
    private ulong[] _deferred = new ulong[VmState.MessagesAtOnce];
    private int _deferredCount;
    private int _placedNowCount;
    private bool _isBatch;
    private PagerEnd _end;

    private bool TakeMessages()
    {
        var count = _vm.State.Read(_vm.Uffd);
        if (count == 0)
            return false;
        var messages = _vm.State.Messages;
        // Removals first: a fault may stand before the removal that caused it.
        for (var i = 0; i < count; i++)
        {
            if (messages[i].Kind == UffdEventKind.Pagefault)
                continue;
            OnEvent(messages[i]);
            _vm.State.Heeded(i);
        }
        _placedNowCount = 0;
        var now = NowNs;
        _isBatch = count > 1 && _settings.ChunkPages == 1 && _granule == 1 && _fetches is null && _vm.Memfd is null;
        if (_isBatch)
            _placer.BeginBatch();
        for (var i = 0; i < count && _end == PagerEnd.None; i++)
        {
            if (messages[i].Kind != UffdEventKind.Pagefault)
                continue;
            Counters.CountFault(messages[i].ThreadId);
            if (!OnFault(messages[i].Address, now, isNew: true))
                Defer(messages[i].Address);
        }
        if (_isBatch)
            EndBatch();
        PlaceChunks();
        return true;
    }

    private void EndBatch()
    {
        _isBatch = false;
        _placer.EndBatch();
        var now = NowNs;
        for (var i = 0; i < _placedNowCount; i++)
            _waits.End(new MemoryPage(_placedNow[i].First), _placedNow[i].Pages, now);
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

    // What another process was putting in place when it died, by the way it went.
    private void TakeLeftPlacing()
    {
        if (!_vm.State.TryGetPlacing(out var range, out var throughUffd))
            return;
        // Pages of sources are always written into the file, and are again before anybody sees them.
        for (ulong i = 0; i < range.Count && _image is not null && _end == PagerEnd.None; i++)
        {
            var page = new MemoryPageRange(range.Start.Plus(i), 1);
            if (page.Start.Value >= _vm.Map.PageLimit || !_vm.State.Missing.IsSet(page.Start.Value))
                continue;
            var result = PlaceFromImage(page, isDemand: false, throughUffd);
            while (result == PlaceResult.Again)
            {
                _ = TakeMessages();
                result = PlaceFromImage(page, isDemand: false, throughUffd);
            }
            _ = Settle(result);
        }
        _vm.State.EndPlacing();
    }

    private void OnEvent(in UffdMessage message)
    {
        switch (message.Kind)
        {
            case UffdEventKind.Remove:
                _placer.Remove(message.Start, message.End);
                break;
            case UffdEventKind.Unmap:
                _placer.Unmap(message.Start, message.End);
                break;
            case UffdEventKind.Fork:
                // The child's memory is nobody's business here; its descriptor must not pile up.
                new OwnedFd(message.ForkedFd).Dispose();
                break;
            default:
                Fail($"event {message.Kind} of the monitor's memory: guest memory must stay where it is");
                break;
        }
    }

    // False where the address space is changing: again later.
    private bool OnFault(ulong address, long nowNs, bool isNew)
    {
        if (!_vm.Map.TryAtAddress(address, out var region))
        {
            Fail($"a fault at 0x{address:x}, outside the regions that the monitor handed over");
            return true;
        }
        var memoryPage = new MemoryPage(region.GfnAt(address).Value & ~(_granule - 1));
        if (WasPlacedNow(memoryPage))
        {
            // Read before the call that woke it.
            Counters.CountStale();
            if (_servesChunks)
                NoteChunkFault(memoryPage);
            return true;
        }
        if (!_vm.State.Missing.IsSet(memoryPage.Value))
        {
            var result = _placer.PlaceZero(memoryPage, region);
            return Settle(result) || result != PlaceResult.Again;
        }
        _order?.OnFault(memoryPage);
        if (isNew)
            _waits.Begin(memoryPage, nowNs);
        if (_fetches is not null)
        {
            Demand(memoryPage);
            return true;
        }
        if (!_servesChunks)
            return ServeNow(memoryPage, throughUffd: true) != PlaceResult.Again;
        QueueChunk(memoryPage);
        return true;
    }

    private PlaceResult ServeNow(MemoryPage memoryPage, bool throughUffd)
    {
        // In the secret-free form userfaultfd resolves the one page; its neighbours go into the file.
        var isSplit = _vm.Memfd is not null && throughUffd;
        if (isSplit)
        {
            var one = PlaceFromImage(new MemoryPageRange(memoryPage, 1), isDemand: true, throughUffd: true);
            if (!Settle(one))
                return one;
        }
        var window = _vm.State.Missing.IsSet(memoryPage.Value)
            ? _claims.WindowAround(memoryPage, Math.Max(_settings.ChunkPages, _granule))
            : new MemoryPageRange(memoryPage, 0);
        // The page that is waited for at the front of the first call, what lies below it afterwards.
        var result = PlaceFromImage(
            new MemoryPageRange(memoryPage, window.End.Value - memoryPage.Value),
            isDemand: true,
            throughUffd && !isSplit
        );
        if (Settle(result) && window.Start != memoryPage)
        {
            result = PlaceFromImage(
                new MemoryPageRange(window.Start, memoryPage.Value - window.Start.Value),
                isDemand: true,
                throughUffd && !isSplit
            );
        }

        _ = Settle(result);
        if (result == PlaceResult.Done && throughUffd && _placedNowCount < VmState.MessagesAtOnce)
            _placedNow[_placedNowCount++] = isSplit ? (memoryPage.Value, 1) : (window.Start.Value, window.Count);
        return result;
    }

    private PlaceResult PlaceFromImage(MemoryPageRange range, bool isDemand, bool throughUffd)
    {
        var first = range.Start;
        var left = range.Count;
        while (left > 0)
        {
            var run = _granule;
            byte* bytes;
            if (_granule == 1)
                run = _runs!.Next(first, left, out bytes);
            else
                bytes = _runs!.Assemble(first, _granule);
            var result = Put(first, run, bytes, isDemand, throughUffd);
            if (result != PlaceResult.Done)
                return result;
            first = first.Plus(run);
            left -= run;
        }
        return PlaceResult.Done;
    }

    private PlaceResult Put(MemoryPage first, ulong pages, byte* bytes, bool isDemand, bool throughUffd)
    {
        var result = _placer.Place(first, pages, bytes, isDemand, throughUffd);
        if (result != PlaceResult.Done)
            return result;
        if (isDemand)
        {
            if (!_isBatch)
                _waits.End(first, pages, NowNs);
            if (_monitor.HasRequests)
                _monitor.Answer(_isInPlace);
        }
        if (isDemand && _recorder is not null)
        {
            for (ulong i = 0; i < pages; i++)
                _recorder.Touch(first.Plus(i));
        }
        return result;
    }

    private bool PushSome()
    {
        if (_order is null || !_mayPush || IsComplete)
            return false;
        if (_fetches is not null)
            return PushFetches();
        var most = Math.Max(_settings.PushPages, _granule);
        ulong pages = 0;
        // Runs of a working set are short: some of them between two looks at the guest's faults.
        for (var runs = 0; pages < most && runs < MostRunsAtOnce / 4; runs++)
        {
            if (!_order.TryNext(most - pages, out var range))
                return _mayPush = pages > 0;
            var result = PlaceFromImage(range, isDemand: false, throughUffd: _vm.Memfd is null);
            _claims.Release(range);
            if (result == PlaceResult.Again)
            {
                _order.GiveBack(range);
                _isChanging = true;
                return false;
            }
            if (!Settle(result))
                return true;
            pages += range.Count;
        }
        return true;
    }

    private bool IsInPlace(ulong offset) => !_vm.State.Missing.IsSet(offset >> Page.Shift);

    private void OnRequest(FaultRequest request)
    {
        Counters.CountRequest();
        var memoryPage = new MemoryPage(request.Offset >> Page.Shift);
        if (request.Offset % Page.Size != 0 || !_vm.Map.TryAtPage(memoryPage, out _))
        {
            throw new ProtocolException(
                $"a fault request for offset {request.Offset}, which is no page of guest memory"
            );
        }

        if (!_vm.State.Missing.IsSet(memoryPage.Value))
        {
            // In place already, or the monitor set the bit anew.
            _vm.Memfd!.Clear(memoryPage, 1);
            _monitor.Answer(_isInPlace);
            return;
        }
        _waits.Begin(memoryPage, NowNs);
        _order?.OnFault(memoryPage);
        if (_fetches is not null)
            Demand(memoryPage);
        else
            _ = ServeNow(memoryPage, throughUffd: false);
    }

    private bool WasPlacedNow(MemoryPage memoryPage)
    {
        for (var i = 0; i < _placedNowCount; i++)
        {
            if (memoryPage.Value - _placedNow[i].First < _placedNow[i].Pages)
                return true;
        }
        return false;
    }

    private void Defer(ulong address)
    {
        Counters.CountDeferred();
        if (_deferredCount == _deferred.Length)
            Array.Resize(ref _deferred, _deferredCount * 2);
        _deferred[_deferredCount++] = address;
    }

    private bool RetryDeferred()
    {
        var count = _deferredCount;
        _deferredCount = 0;
        _placedNowCount = 0;
        for (var i = 0; i < count && _end == PagerEnd.None; i++)
        {
            // Kept in the same array: what is written back lies before what is read.
            if (!OnFault(_deferred[i], 0, isNew: false))
                _deferred[_deferredCount++] = _deferred[i];
        }
        PlaceChunks();
        return _deferredCount < count;
    }
}
