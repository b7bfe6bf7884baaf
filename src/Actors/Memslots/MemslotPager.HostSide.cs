using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

// Waiters that sleep in userfaultfd, and the operations of its readers.
public sealed partial class MemslotPager
{
    private PageWaiters _sleeping;

    /// <summary>KVM itself or the VMM accesses a page. Such accesses bypass the bitmap.</summary>
    /// <param name="accessor">Its number, from <c>vcpus</c> on.</param>
    /// <param name="page">The page of guest memory.</param>
    /// <param name="write">Does it write?</param>
    /// <param name="effects">Receives a wake-up at once if the page is mapped.</param>
    public void OnHostAccess(int accessor, MemoryPage page, bool write, EffectBuffer effects)
    {
        var gfn = ToGuest(page);
        _counters = _counters with { HostAccesses = _counters.HostAccesses + 1 };
        if (_host.Touch(page, write) is not { } uffd)
        {
            effects.WakeAccessor(accessor, page);
            return;
        }

        _counters = _counters with { HostSleeps = _counters.HostSleeps + 1 };
        if (_sleeping.Add(gfn, accessor))
            TellReader(uffd, effects);
    }

    /// <summary>
    /// A reader of userfaultfd resolves a page with UFFDIO_COPY (ZEROPAGE if it is zero), which wakes the waiters that
    /// sleep on it.
    /// </summary>
    /// <returns>The result of the ioctl: none, or EEXIST, after which the reader wakes the sleepers explicitly
    /// (<see cref="OnUffdWake"/>).</returns>
    public Errno OnUffdCopy(in PageContent content, EffectBuffer effects)
    {
        var gfn = ToGuest(content.Page);
        var errno = _settings.Memory == MemoryKind.Shmem ? PopulateAndContinue(content) : _host.Copy(content, _memory);
        Count(errno);
        if (errno == Errno.None)
        {
            ClearBit(gfn, awaited: true);
            Wake(gfn, effects);
        }

        Serve(gfn, effects);
        return errno;
    }

    /// <summary>A reader resolves a minor fault with UFFDIO_CONTINUE: the content is in the page cache.</summary>
    public Errno OnUffdContinue(MemoryPage page, EffectBuffer effects)
    {
        var gfn = ToGuest(page);
        var errno = _host.Continue(page);
        Count(errno);
        if (errno == Errno.None)
            Wake(gfn, effects);
        return errno;
    }

    /// <summary>UFFDIO_WAKE: waiters that sleep on the page retry.</summary>
    public void OnUffdWake(MemoryPage page, EffectBuffer effects) => Wake(ToGuest(page), effects);

    private void Sleep(int vcpu, in VcpuAccess access, EffectBuffer effects)
    {
        _counters = _counters with { UffdSleeps = _counters.UffdSleeps + 1 };
        Remember(vcpu, access);
        _push?.OnFault(ToMemory(access.Gfn));
        if (!_sleeping.Add(access.Gfn, vcpu))
        {
            _merged++;
            return;
        }

        var page = ToMemory(access.Gfn);
        TellReader(new UffdEvent(page, _host.IsPopulated(page), access.IsWrite), effects);
    }

    private void TellReader(UffdEvent uffd, EffectBuffer effects)
    {
        if (uffd.IsMinor || _claims.IsOpen(uffd.Page))
        {
            if (!uffd.IsMinor)
                _claims.Claim(new MemoryPageRange(uffd.Page, 1));
            effects.Uffd(uffd);
            return;
        }

        // User space has already requested the page: its arrival wakes the sleeper, and the reader need not fetch it.
        effects.Promote(uffd.Page);
    }

    private Errno PopulateAndContinue(in PageContent content)
    {
        _host.Populate(content, _memory);
        return _host.Continue(content.Page);
    }

    private void Wake(Gfn gfn, EffectBuffer effects)
    {
        var last = PageWaiters.Begin;
        while (_sleeping.TryTake(gfn, ref last, out var waiter))
        {
            if (waiter < _settings.Vcpus)
                RunFaultPath(waiter, _accesses[waiter], effects);
            else
                effects.WakeAccessor(waiter, ToMemory(gfn));
        }
    }
}
