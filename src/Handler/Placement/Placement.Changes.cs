using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

// Memory that is given back, unmapped, not registered any more, and released in the end.
internal abstract unsafe partial class Placement
{
    /// <summary>A page that was left is touched: it is to be brought like any missing page.</summary>
    /// <returns>Was it one?</returns>
    public bool TakeBack(MemoryPage page)
    {
        var back = Left.Remove(page, PagesPerGranule);
        if (back == 0)
            return false;
        Counters.CountMissing(back);
        return true;
    }

    /// <summary>Lets all that wait in a region touch their page again.</summary>
    public PlaceResult WakeAll(in GuestRegion region) => Wake(region.Start, region.Bytes);

    /// <summary>
    /// Releases all regions: from here on the kernel alone gives the guest what it gave back, which is zeros.
    /// </summary>
    public PlaceResult Release()
    {
        foreach (var region in Map.Regions)
        {
            if (Release(region.Start, region.Bytes) is var error and not LinuxErrno.None)
                return Stopped(error);
        }
        return PlaceResult.Done;
    }

    /// <summary>Is the memory of the monitor gone, whichever process it belonged to?</summary>
    public bool IsMemoryGone => Uffd.Probe(Map.Regions[0].Start, Map.Regions[0].Bytes) == LinuxErrno.ESRCH;

    /// <summary>The guest gave a range back: it reads as zeros, and its content is not wanted any more.</summary>
    public void Remove(ulong start, ulong end) => Forget(start, end, isUnmapped: false);

    /// <summary>The monitor unmapped a range: nobody can touch it.</summary>
    public virtual void Unmap(ulong start, ulong end) => Forget(start, end, isUnmapped: true);

    /// <summary>Pages that were given back need no content any more: what else has to know.</summary>
    protected virtual void OnForgotten(MemoryPage first, ulong pages) { }

    // Nobody can touch these now: not registered, or not mapped any more. They are not in place.
    private void Leave(MemoryPage first, ulong count)
    {
        Error = LinuxErrno.ENOENT;
        ulong left = 0;
        for (var page = first; page.Value < first.Value + count; page = page.Plus(1))
            left += State.Missing.IsSet(page.Value) ? Left.Add(page, 1) : 0;
        Counters.CountUnmapped(left);
        Counters.CountNoLongerMissing(left);
    }

    private LinuxErrno Release(ulong start, ulong bytes)
    {
        var error = Uffd.Unregister(start, bytes);
        for (var i = 1; i < MaxTries && error is LinuxErrno.EAGAIN or LinuxErrno.EINTR or LinuxErrno.ENOMEM; i++)
        {
            // ENOMEM is its answer also where the memory is gone.
            if (Uffd.Probe(start, bytes) == LinuxErrno.ESRCH)
                return LinuxErrno.None;
            error = Uffd.Unregister(start, bytes);
        }
        if (error == LinuxErrno.ESRCH)
            return LinuxErrno.None;
        var granule = PagesPerGranule << Page.Shift;
        if (error != LinuxErrno.EINVAL)
            return error;
        // Nothing is mapped there, or something in it is of a kind that cannot be registered: what is left of it.
        if (bytes <= granule)
            return LinuxErrno.None;
        var half = bytes / 2 / granule * granule;
        var first = Release(start, half);
        return first == LinuxErrno.None ? Release(start + half, bytes - half) : first;
    }

    private void Forget(ulong start, ulong end, bool isUnmapped)
    {
        foreach (var region in Map.Regions)
        {
            var from = Math.Max(start, region.Start);
            var to = Math.Min(end, region.End);
            if (from < to)
                Forget(new MemoryPageRange(region.GfnAt(from), (to - from) >> Page.Shift), isUnmapped);
        }
    }

    private void Forget(MemoryPageRange range, bool isUnmapped)
    {
        if (isUnmapped)
            Counters.CountUnmapped(range.Count);
        else
            Counters.CountRemoved(range.Count);
        // What the kernel puts in place at once, it forgets at once: only granules that lie wholly inside.
        var granule = PagesPerGranule - 1;
        var first = Math.Min((range.Start.Value + granule) & ~granule, range.End.Value);
        var end = Math.Max(range.End.Value & ~granule, first);
        if (!isUnmapped)
            ForgetParts(range, new MemoryPageRange(new MemoryPage(first), end - first));
        if (first == end)
            return;
        // First the mark, then the bit: a standby in between sees a page to be zeroed, never one to be fetched.
        if (!isUnmapped)
            State.Removed.SetRange(first, end - first);
        var left = Left.Remove(new MemoryPage(first), end - first);
        Counters.CountNoLongerMissing(State.Missing.ClearRange(first, end - first) - left);
        OnForgotten(new MemoryPage(first), end - first);
    }

    // Of a huge page that is there the kernel zeroes the part that is given back. Of one that is missing the part is
    // noted, and is zero when the page is put in place.
    private void ForgetParts(MemoryPageRange range, MemoryPageRange whole)
    {
        for (var page = range.Start; page.Value < range.End.Value; page = page.Plus(1))
        {
            if (page == whole.Start)
                page = whole.End;
            if (page.Value < range.End.Value && State.Missing.IsSet(page.Value))
                State.Removed.Set(page.Value);
        }
    }
}
