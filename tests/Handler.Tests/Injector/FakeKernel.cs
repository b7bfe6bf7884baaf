using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler.Tests;

/// <summary>
/// The kernel's half of a userfaultfd over a few pages, as mm/userfaultfd.c and fs/userfaultfd.c of Linux 6.18 have it,
/// as far as a handler can see it. Any call may fail besides with an errno that the kernel can give there; what the
/// kernel never does (EEXIST of a 4 KiB copy where nothing is there) is not done here either. One thread.
/// </summary>
internal sealed unsafe partial class FakeKernel : IUserfaultfd, IPagePresence
{
    private readonly Dice _dice;
    private readonly InjectorPlan _plan;
    private readonly HandClock _clock;
    private readonly FakeBalloon _balloon;

    public FakeKernel(Dice dice, InjectorPlan plan, HandClock clock, GuestRegion[] regions)
    {
        (_dice, _plan, _clock, Regions) = (dice, plan, clock, regions);
        Memory = new FakePage[regions.Max(static r => r.Pages.End.Value)];
        foreach (var region in regions)
        {
            for (var page = region.Pages.Start.Value; page < region.Pages.End.Value; page++)
            {
                Memory[page] = new FakePage
                {
                    IsMapped = true,
                    IsRegistered = true,
                    Mapping = (int)region.Offset + 1,
                    MustFirst = InjectorImage.WordOf(page),
                    MustLast = InjectorImage.WordOf(page),
                };
            }
        }
        Vcpus = [.. Enumerable.Range(0, plan.Vcpus).Select(static _ => new FakeVcpu())];
        FreeGranules = (int)(plan.Pages / plan.Granule);
        _balloon = new FakeBalloon(this, plan);
    }

    public GuestRegion[] Regions { get; }

    public FakePage[] Memory { get; }

    public FakeVcpu[] Vcpus { get; }

    public FakeBalloon Balloon => _balloon;

    /// <summary>Room in the pool of huge pages.</summary>
    public int FreeGranules { get; set; }

    /// <summary>No memory for small pages.</summary>
    public bool IsShort { get; set; }

    /// <summary>The monitor is gone.</summary>
    public bool IsDead { get; set; }

    /// <summary>How often calls fail now.</summary>
    public int FaultsPerMille { get; set; }

    /// <summary>The next call on content fails for good.</summary>
    public bool FailsForGood { get; set; }

    /// <summary>Was a call failed for good?</summary>
    public bool HasFailedForGood { get; private set; }

    /// <summary>The handler dies in some call from now on, once.</summary>
    public bool KillsHandler { get; set; }

    /// <summary>Calls that were made.</summary>
    public long Calls { get; private set; }

    /// <summary>Where to write what happens; null for nowhere.</summary>
    public Queue<string>? Trace { get; set; }

    /// <summary>Is there anything to read?</summary>
    public bool HasMessages => _balloon.HasEvent || Array.Exists(Vcpus, static v => v.IsQueued);

    public OwnedFd Fd => throw new NotSupportedException("a model has no descriptor");

    public UffdFeatures Features => UffdFeatures.EventRemove;

    /// <summary>Does something of another thread's, before a call does its own.</summary>
    public Action? Beside { get; set; }

    /// <summary>Does something of another thread's, just before memory is released.</summary>
    public Action? BeforeRelease { get; set; }

    /// <summary>Notes what happens, where that is wanted.</summary>
    public void Note(string line)
    {
        if (Trace is null)
            return;
        if (Trace.Count == 60)
            Trace.Dequeue();
        Trace.Enqueue(line);
    }

    public LinuxErrno Wake(ulong start, ulong bytes)
    {
        Call();
        var isFailed = IsInjected([LinuxErrno.EAGAIN, LinuxErrno.EINTR], out var error);
        Noted("wake", start, bytes, error);
        if (isFailed)
            return error;
        WakeRange(start, bytes);
        return LinuxErrno.None;
    }

    public LinuxErrno Unregister(ulong start, ulong bytes)
    {
        Call();
        if (_dice.Comes(200))
            BeforeRelease?.Invoke();
        Note("unregister");
        if (IsDead || IsInjected([LinuxErrno.ENOMEM, LinuxErrno.EAGAIN, LinuxErrno.EINTR], out _))
            return LinuxErrno.ENOMEM;
        var anything = false;
        for (var at = start; at < start + bytes; at += Page.Size)
            anything |= Memory[PageAt(at)].IsMapped;
        if (!anything)
            return LinuxErrno.EINVAL;
        for (var at = start; at < start + bytes; at += Page.Size)
            Memory[PageAt(at)].IsRegistered = false;
        WakeRange(start, bytes);
        return LinuxErrno.None;
    }

    public UffdResult Copy(ulong to, byte* from, ulong bytes, UffdModes modes = UffdModes.None)
    {
        var result = Fill(
            to,
            from,
            bytes,
            modes,
            [LinuxErrno.EAGAIN, LinuxErrno.EAGAIN, LinuxErrno.EINTR, LinuxErrno.ENOMEM, LinuxErrno.ENOSPC]
        );
        Noted("copy", to, bytes, result.Error, result.Done);
        MayDie();
        return result;
    }

    public UffdResult Zeropage(ulong start, ulong bytes, UffdModes modes = UffdModes.None)
    {
        if (_plan.Granule > 1 || _plan.IsShared)
        {
            Call();
            return new UffdResult(0, IsDead ? LinuxErrno.ESRCH : LinuxErrno.EINVAL);
        }
        var result = Fill(
            start,
            null,
            bytes,
            modes,
            [LinuxErrno.EAGAIN, LinuxErrno.EINTR, LinuxErrno.ENOMEM],
            isZero: true
        );
        Noted("zeropage", start, bytes, result.Error, result.Done);
        return result;
    }

    public UffdResult Continue(ulong start, ulong bytes, UffdModes modes = UffdModes.None)
    {
        var result = Map(start, bytes, modes);
        Noted("continue", start, bytes, result.Error, result.Done);
        // It is done, and nothing that follows is.
        MayDie();
        return result;
    }

    public UffdResult Poison(ulong start, ulong bytes, UffdModes modes = UffdModes.None) =>
        throw new NotSupportedException("a pager poisons nothing");

    public LinuxErrno WriteProtect(ulong start, ulong bytes, bool isProtected)
    {
        Call();
        if (IsDead)
            return LinuxErrno.ESRCH;
        if (RangeError(start, bytes) is var range and not LinuxErrno.None)
            return range;
        if (IsInjected([LinuxErrno.EAGAIN, LinuxErrno.EINTR, LinuxErrno.ENOMEM], out var error))
            return error;
        for (var at = start; at < start + bytes; at += Page.Size)
            (Memory[PageAt(at)].IsProtected, Memory[PageAt(at)].HasMarker) = (false, false);
        WakeRange(start, bytes);
        return LinuxErrno.None;
    }

    public LinuxErrno Probe(ulong start, ulong bytes)
    {
        Call();
        return IsDead ? LinuxErrno.ESRCH : RangeError(start, bytes);
    }

    // Faults before events, as the kernel hands them out.
    public int Read(UffdMessage* messages, int count)
    {
        Call();
        // Not all that is there, at times.
        if (_dice.Comes(FaultsPerMille))
            count = 1;
        var read = 0;
        foreach (var vcpu in Vcpus)
        {
            if (!vcpu.IsQueued || read == count)
                continue;
            messages[read++] = vcpu.Message;
            Note($"read: fault on {vcpu.Page}, flags {vcpu.Message.Flags}");
            vcpu.IsQueued = false;
        }
        if (read < count && _balloon.HasEvent)
        {
            messages[read++] = _balloon.TakeEvent();
            Note($"read: {messages[read - 1].Kind} of {PageAt(messages[read - 1].Start)}");
        }
        return read;
    }

    public void WaitReadable(int timeoutMs) => _clock.MoveMs(timeoutMs);

    public PagePresence Of(ulong address)
    {
        if (!_plan.KnowsPresence || IsDead)
            return PagePresence.Unknown;
        return Memory[PageAt(address)].IsPresent ? PagePresence.Present : PagePresence.Absent;
    }

    public void BeforeCopy(ulong address) { }

    public void AfterCopy(ulong address) { }

    public void Dispose() { }

    /// <summary>A moment of the handler that is no call: others do something, or it dies.</summary>
    public void Pass() => Call();

    /// <summary>Why a write into the guest_memfd fails; none where it does not.</summary>
    public LinuxErrno WriteError()
    {
        Call();
        if (FailsForGood)
        {
            HasFailedForGood = true;
            return LinuxErrno.EIO;
        }
        if (IsInjected([LinuxErrno.EAGAIN, LinuxErrno.EINTR, LinuxErrno.ENOMEM, LinuxErrno.ENOSPC], out var error))
            return error;
        return IsShort ? LinuxErrno.ENOMEM : LinuxErrno.None;
    }

    /// <summary>How much of a call is done: mostly all.</summary>
    public ulong PartOf(ulong pages) => _dice.Comes(FaultsPerMille) ? 1 + (ulong)_dice.Roll((int)pages) : pages;

    /// <summary>Threads that sleep on these pages touch them again.</summary>
    public void WakeRange(ulong start, ulong bytes)
    {
        foreach (var vcpu in Vcpus)
        {
            if (vcpu is { Sleeps: true, HasAsked: false } && vcpu.Message.Address - start < bytes)
                (vcpu.Sleeps, vcpu.IsQueued) = (false, false);
        }
    }

    public ulong AddressOf(ulong page)
    {
        foreach (var region in Regions)
        {
            if (region.Pages.Contains(new Pages.MemoryPage(page)))
                return region.AddressOf(new Pages.MemoryPage(page));
        }
        throw new InvalidOperationException($"page {page} lies in no region");
    }

    /// <summary>Puts a page there, with both words and no protection.</summary>
    public void Put(ulong page, ulong first, ulong last)
    {
        ref var put = ref Memory[page];
        (put.IsPresent, put.IsCached, put.First, put.Last) = (true, _plan.IsShared, first, last);
        (put.IsProtected, put.HasMarker) = (false, false);
    }
}
