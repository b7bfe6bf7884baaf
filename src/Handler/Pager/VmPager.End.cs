using Userfault.Pages;

namespace Userfault.Handler;

// How serving a VM ends: by request, with its monitor, or because its pages cannot be put in place.
internal sealed unsafe partial class VmPager
{
    // How often the memory of a process that did not connect itself is looked at.
    private const int OwnerPollMs = 100;
    private const int MaxLastReads = 1024;

    private bool _isCompleting;
    private bool _isMonitorGone;
    private bool _isReleasing;
    private long? _shortSinceNs;

    /// <summary>
    /// The process that connected has ended. Whether the memory is gone with it, only the userfaultfd knows: a launcher
    /// may have connected for its child.
    /// </summary>
    internal PagerEnd OnMonitorGone()
    {
        if (_delivery.Placement.IsMemoryGone)
            return PagerEnd.MonitorGone;
        if (!_isMonitorGone)
        {
            _isMonitorGone = true;
            _delivery.Notice(
                PagerNotice.OwnerUnknown,
                "the process that connected has ended, and the memory lives on in another: it is served until it is "
                    + "gone"
            );
        }
        return PagerEnd.None;
    }

    private bool IsComplete => Counters.MissingPages == 0;

    // Before the loop looks for work, so that it does not sleep on what it has just been given to do.
    private void BeginCompleting()
    {
        if (_stop != StopKind.Complete || _isCompleting)
            return;
        _isCompleting = true;
        _delivery.TakeBackAll();
        _feed.Order = PushOrder.Create(PushOrderKind.Sequential, _delivery.Claims);
    }

    // Nobody waits for the pages that are put in place before the end, so no fault measures how long that takes.
    private void LookForStall()
    {
        if (!_isCompleting || !_delivery.Placement.IsShort)
        {
            _shortSinceNs = null;
            return;
        }
        _shortSinceNs ??= _delivery.NowNs;
        if (_delivery.NowNs - _shortSinceNs > _settings.StallPatienceNs)
            _delivery.FailStalled();
    }

    private PagerEnd EndWhenAsked(bool isBusy)
    {
        _latencyRequests.Look();
        switch (_stop)
        {
            case StopKind.HandOver:
                return PagerEnd.HandedOver;
            // A request that is read, or about to be, is answered before.
            case StopKind.Complete
                when IsComplete
                    && _delivery.Deferred.Count == 0
                    && !isBusy
                    && (!_monitor.HasRequests || _monitor.IsClosed):
                return Release(PagerEnd.Completed);
        }
        return _feed.Lost is { } reason ? _delivery.Fail(reason) : PagerEnd.None;
    }

    // From here on the kernel alone gives the guest what it gave back. None where that has to be tried again.
    private PagerEnd Release(PagerEnd end)
    {
        var result = _delivery.Placement.Release();
        _isReleasing = result == PlaceResult.Again;
        _ = _delivery.Settle(result);
        if (result != PlaceResult.Done)
            return _delivery.End;
        // Its threads were woken, but one that gave memory back just before sleeps until its event is read.
        for (var i = 0; i < MaxLastReads && _vm.State.Read(_vm.Uffd) > 0; i++) { }
        return end;
    }
}
