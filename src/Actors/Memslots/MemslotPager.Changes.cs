using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

// The slot is deleted, moved or mapped ahead of need.
public sealed partial class MemslotPager
{
    /// <summary>Resumes the vCPUs that waited for a flush or for the end of an invalidation.</summary>
    public void ReleaseHeldBack(EffectBuffer effects)
    {
        foreach (var vcpu in _heldBack)
            effects.Resume(vcpu);
        _heldBack.Clear();
    }

    /// <summary>
    /// The slot is deleted or moved: every waiter of one of its pages repeats its access and finds the new state.
    /// </summary>
    public void Evict(EffectBuffer effects)
    {
        foreach (var gfn in _exited.AwaitedPages())
            Release(_exited, gfn, effects);
        foreach (var gfn in _sleeping.AwaitedPages())
            Release(_sleeping, gfn, effects);
        ReleaseHeldBack(effects);
    }

    /// <summary>The slot is at its new place. Waiters repeat their accesses; pages in flight arrive here.</summary>
    public void Activate(Memslot slot, EffectBuffer effects)
    {
        Evict(effects);
        _core.Activate(slot);
        _exited = _exited.MovedTo(Range);
        _sleeping = _sleeping.MovedTo(Range);
        _claims.Dispose();
        _claims = new PageClaims(Pages, _bitmap);
        foreach (var range in _pushed)
            _claims.Claim(range);

        _push = _makePush?.Invoke(_claims);
    }

    /// <summary>KVM_PRE_FAULT_MEMORY: maps pages as reads would, until one cannot be mapped.</summary>
    public MemslotProtocol.PreFaulted PreFault(GfnRange range)
    {
        for (ulong i = 0; i < range.Count; i++)
        {
            var gfn = range.Start.Plus(i);
            var outcome = _core.Fault(new VcpuAccess(gfn, Access.Read, _core.Attributes.IsPrivate(gfn)));
            if (!outcome.Flush.IsEmpty)
                Flush = Flush.Cover(outcome.Flush);
            if (outcome.Kind is FaultKind.Mapped or FaultKind.Spurious)
                continue;
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
