using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler.Tests;

/// <summary>
/// The one thread of the monitor that changes its memory. Giving pages back goes in steps, as in the kernel: the event
/// is queued and resolving calls answer EAGAIN; the event is read; calls go through again; the pages go.
/// </summary>
internal sealed class FakeBalloon(FakeKernel kernel, InjectorPlan plan)
{
    private UffdMessage _event;
    private State _state;
    private ulong _first;
    private ulong _count;
    private bool _isUnmap;

    private enum State
    {
        Idle,
        Queued,
        Read,
        Going,
    }

    /// <summary>Does it do nothing now?</summary>
    public bool IsIdle => _state == State.Idle;

    /// <summary>Is its event to be read?</summary>
    public bool HasEvent => _state == State.Queued;

    /// <summary>Do resolving calls answer EAGAIN?</summary>
    public bool IsChanging => _state is State.Queued or State.Read;

    /// <summary>Its event is read.</summary>
    public UffdMessage TakeEvent()
    {
        _state = State.Read;
        return _event;
    }

    /// <summary>Begins to give mapped pages of one region back.</summary>
    public void Remove(ulong first, ulong count)
    {
        for (var page = first; page < first + count; page++)
        {
            if (!kernel.Memory[page].IsMapped || !kernel.Memory[page].IsRegistered)
                return;
        }
        Begin(first, count, UffdEventKind.Remove);
        for (var page = first; page < first + count; page++)
            kernel.Memory[page].IsLeaving = true;
    }

    /// <summary>Unmaps whole granules, with an event or without.</summary>
    public void Unmap(ulong first, ulong count)
    {
        var isWatched = kernel.Memory[first].IsMapped && kernel.Memory[first].IsRegistered;
        for (var page = first; page < first + count; page++)
        {
            Drop(page);
            kernel.Memory[page].IsMapped = false;
        }
        if (plan.HasUnmapEvent && isWatched)
            Begin(first, count, UffdEventKind.Unmap);
    }

    /// <summary>One step on; false where the next one is the handler's.</summary>
    public bool Step()
    {
        switch (_state)
        {
            case State.Read:
                _state = State.Going;
                return true;
            case State.Going:
                _state = State.Idle;
                if (!_isUnmap)
                    Zap();
                return true;
            default:
                return false;
        }
    }

    private void Begin(ulong first, ulong count, UffdEventKind kind)
    {
        var start = kernel.AddressOf(first);
        (_first, _count, _isUnmap) = (first, count, kind == UffdEventKind.Unmap);
        _event = new UffdMessage(kind, start, start + (count << Page.Shift));
        _state = State.Queued;
    }

    // Granules that lie wholly inside go; of others that are there, the part is zeroed.
    private void Zap()
    {
        for (var page = _first; page < _first + _count; page++)
        {
            ref var gone = ref kernel.Memory[page];
            gone.IsLeaving = false;
            (gone.MustFirst, gone.MustLast, gone.IsTouched, gone.MayBeZero) = (0, 0, true, false);
            var granule = page / plan.Granule * plan.Granule;
            if (granule >= _first && granule + plan.Granule <= _first + _count)
                Drop(page);
            else
                (gone.First, gone.Last) = (0, 0);
        }
    }

    private void Drop(ulong page)
    {
        ref var gone = ref kernel.Memory[page];
        if ((gone.IsPresent || gone.IsCached) && page % plan.Granule == 0)
            kernel.FreeGranules++;
        (gone.IsPresent, gone.IsCached, gone.IsProtected, gone.HasMarker) = (false, false, false, false);
    }
}
