using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

// The slot goes away, moves or is mapped ahead of need.
public sealed partial class MemslotPager
{
    /// <summary>Lets those go on who waited for a flush or for the end of an invalidation.</summary>
    public void ReleaseHeldBack(EffectBuffer effects)
    {
        foreach (var vcpu in _heldBack) effects.Resume(vcpu);
        _heldBack.Clear();
    }

    /// <summary>
    /// The slot goes away or moves: everybody who waits for one of its pages makes the access again, and finds what is
    /// there then.
    /// </summary>
    public void Evict(EffectBuffer effects)
    {
        foreach (var gfn in _exited.AwaitedPages()) Release(_exited, gfn, effects);
        foreach (var gfn in _sleeping.AwaitedPages()) Release(_sleeping, gfn, effects);
        ReleaseHeldBack(effects);
    }

    /// <summary>The slot is at its new place. Who waited makes the access again; what is on its way arrives here.</summary>
    public void Activate(Memslot slot, EffectBuffer effects)
    {
        Evict(effects);
        var from = Range.Start;
        _core.Activate(slot);
        _exited = _exited.MovedTo(Range);
        _sleeping = _sleeping.MovedTo(Range);
        _claims.Dispose();
        _claims = new PageClaims(Range, _bitmap);
        for (var i = 0; i < _pushed.Count; i++)
        {
            _pushed[i] = _pushed[i] with { Start = Range.Start.Plus(_pushed[i].Start.PagesFrom(from)) };
            _claims.Claim(_pushed[i]);
        }

        _push = _makePush?.Invoke(_claims);
    }

    /// <summary>KVM_PRE_FAULT_MEMORY: maps pages as reads would, until one cannot be mapped.</summary>
    public MemslotProtocol.PreFaulted PreFault(GfnRange range)
    {
        for (ulong i = 0; i < range.Count; i++)
        {
            var gfn = range.Start.Plus(i);
            var outcome = _core.Fault(new VcpuAccess(gfn, Access.Read, _core.Attributes.IsPrivate(gfn)));
            if (!outcome.Flush.IsEmpty) Flush = Flush.Cover(outcome.Flush);
            if (outcome.Kind is FaultKind.Mapped or FaultKind.Spurious) continue;
            var errno = outcome.Kind switch
            {
                FaultKind.Poisoned => Errno.EHWPOISON,
                FaultKind.SignalPending => Errno.EINTR,
                FaultKind.Retry or FaultKind.FlushFirst or FaultKind.BlockedInUserfaultfd => Errno.EAGAIN,
                _ => Errno.EFAULT,
            };
            return new MemslotProtocol.PreFaulted(i == 0 ? errno : Errno.None, i);
        }

        return new MemslotProtocol.PreFaulted(Errno.None, range.Count);
    }

    private void Release(PageWaiters waiters, Gfn gfn, EffectBuffer effects)
    {
        var last = PageWaiters.Begin;
        while (waiters.TryTake(gfn, ref last, out var waiter))
        {
            if (waiter < _settings.Vcpus)
                effects.Resume(waiter);
            else
                effects.RetryAccessor(waiter, ToMemory(gfn));
        }
    }
}
