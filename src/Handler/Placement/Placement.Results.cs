using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

// What the calls came to: whether a page is in place, and when to try again.
internal abstract unsafe partial class Placement
{
    // Of a call that failed and that nobody would make again.
    private const int MaxTries = 16;
    private const ulong MaxContinued = 64;

    /// <summary>
    /// A write to a page that the monitor has write-protected: lifts the protection and lets the writer go on. The
    /// messages of this descriptor come here, so that nobody else could do it.
    /// </summary>
    public PlaceResult LiftProtection(MemoryPage page, in GuestRegion region)
    {
        var address = region.AddressOf(page);
        var error = Uffd.WriteProtect(address, PagesPerGranule << Page.Shift, isProtected: false);
        if (error == LinuxErrno.None)
            Counters.CountWriteProtected();
        return Ended(error, page, address);
    }

    /// <summary>A page that is in the page cache and not mapped was touched (a minor fault): maps it.</summary>
    public virtual PlaceResult MapCached(MemoryPage page, in GuestRegion region)
    {
        var address = region.AddressOf(page);
        var error = Uffd.Continue(address, PagesPerGranule << Page.Shift).Error;
        if (error is LinuxErrno.None or LinuxErrno.EEXIST)
        {
            MarkPresent(page, PagesPerGranule);
            State.Removed.ClearRange(page.Value, PagesPerGranule);
        }
        // Not in the page cache any more: the touch comes again, as one of a page that is not there.
        return Ended(error == LinuxErrno.EFAULT ? LinuxErrno.ENOENT : error, page, address);
    }

    /// <summary>
    /// Maps a page whose content is in the memory's file, and its neighbours that are there too, as far as the first
    /// that is mapped already.
    /// </summary>
    protected PlaceResult ContinueAround(MemoryPage page, in GuestRegion region)
    {
        var address = region.AddressOf(page);
        var max = Math.Min(MaxContinued, region.Pages.End.Value - page.Value);
        ulong run = 1;
        while (run < max && !State.Missing.IsSet(page.Value + run))
            run++;
        var result = Uffd.Continue(address, run << Page.Shift);
        if (result.Done > 0)
            return PlaceResult.Done;
        // Into the next mapping: the page that was touched, alone.
        if (result.Error == LinuxErrno.ENOENT && run > 1)
            result = Uffd.Continue(address, Page.Size);
        // A hole in the file: a page whose content is zeros and was never written, or was given back.
        if (result.Error == LinuxErrno.EFAULT)
            result = Resolve(address, 1, null);
        return Ended(result.Error, page, address);
    }

    /// <summary>What a call for one touched page came to.</summary>
    protected PlaceResult Ended(LinuxErrno error, MemoryPage page, ulong address)
    {
        switch (error)
        {
            case LinuxErrno.None:
                _futile.Forget(page, PagesPerGranule);
                IsShort = false;
                return PlaceResult.Done;
            case LinuxErrno.EEXIST:
                Counters.CountEexist();
                Error = error;
                return PresenceOf(address) == PagePresence.Absent
                    ? Short()
                    : WakeWaiters(page, address, PagesPerGranule);
            case LinuxErrno.ENOENT:
                Error = error;
                return WakeWaiters(page, address, PagesPerGranule);
            default:
                return Stopped(error);
        }
    }

    /// <summary>Is a page there, for which the kernel answered EEXIST?</summary>
    protected virtual PagePresence PresenceOf(ulong address) => PagePresence.Present;

    /// <summary>Pages were put in place by a call of this pager.</summary>
    protected void MarkPlaced(MemoryPage first, ulong pages)
    {
        _futile.Forget(first, pages);
        IsShort = false;
        MarkPresent(first, pages);
    }

    /// <summary>The same of missing pages whose bits were cleared as they went in place.</summary>
    protected void MarkPlacedBefore(MemoryPage first, ulong pages)
    {
        _futile.Forget(first, pages);
        IsShort = false;
        Counters.CountNoLongerMissing(pages - Left.Remove(first, pages));
        OnPlaced(first, pages);
    }

    // Pages are there: no longer missing, and all who have to know do.
    private void MarkPresent(MemoryPage first, ulong pages)
    {
        var left = Left.Remove(first, pages);
        Counters.CountNoLongerMissing(State.Missing.ClearRange(first.Value, pages) - left);
        OnPlaced(first, pages);
    }

    /// <summary>UFFDIO_WAKE of a range.</summary>
    protected PlaceResult Wake(ulong address, ulong bytes)
    {
        var error = Uffd.Wake(address, bytes);
        // Nobody else would wake them: it is tried again at once.
        for (var i = 1; i < MaxTries && error is LinuxErrno.EAGAIN or LinuxErrno.EINTR; i++)
            error = Uffd.Wake(address, bytes);
        if (error == LinuxErrno.None)
            return PlaceResult.Done;
        Error = error;
        return error == LinuxErrno.ESRCH ? PlaceResult.Gone : PlaceResult.Failed;
    }

    // Whoever waits for a page finds out by himself how it is with it; one who comes again and again is not served so
    // for ever.
    private PlaceResult WakeWaiters(MemoryPage page, ulong address, ulong pages)
    {
        switch (_futile.Count(page))
        {
            case FutileFaults.Answer.Never:
                return PlaceResult.Failed;
            case FutileFaults.Answer.Later:
                return Short();
            default:
                return Wake(address, pages << Page.Shift);
        }
    }

    private PlaceResult Short()
    {
        IsShort = true;
        return PlaceResult.Again;
    }

    // A call that did nothing, and why.
    private PlaceResult Stopped(LinuxErrno error)
    {
        Error = error;
        switch (error)
        {
            case LinuxErrno.EAGAIN:
            case LinuxErrno.EINTR:
                Counters.CountEagain();
                return PlaceResult.Again;
            case LinuxErrno.ENOMEM:
            case LinuxErrno.ENOSPC:
                return Short();
            case LinuxErrno.ESRCH:
                return PlaceResult.Gone;
            default:
                return PlaceResult.Failed;
        }
    }

    // EEXIST: in place, by somebody who was faster, or (huge pages) no room for it.
    private PlaceResult SkipPresent(MemoryPage page, ulong address, bool isDemand)
    {
        Counters.CountEexist();
        Error = LinuxErrno.EEXIST;
        switch (PresenceOf(address))
        {
            case PagePresence.Present:
                MarkPresent(page, PagesPerGranule);
                return isDemand ? Wake(address, PagesPerGranule << Page.Shift) : PlaceResult.Done;
            case PagePresence.Absent:
                return Short();
            default:
                // A thread that waits for it tells the truth when it is woken: it goes on, or faults again.
                return isDemand ? WakeWaiters(page, address, PagesPerGranule) : Short();
        }
    }
}
