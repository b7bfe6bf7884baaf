using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler.Tests;

// What the calls do to the memory, and when they fail.
internal sealed unsafe partial class FakeKernel
{
    private UffdResult Map(ulong start, ulong bytes, UffdModes modes)
    {
        Call();
        if (IsDead)
            return new UffdResult(0, LinuxErrno.ESRCH);
        if (RangeError(start, bytes) is var range and not LinuxErrno.None)
            return new UffdResult(0, range);
        if (IsInjected([LinuxErrno.EAGAIN, LinuxErrno.EINTR, LinuxErrno.ENOMEM], out var injected))
            return new UffdResult(0, injected);
        if (!_plan.IsShared)
            return new UffdResult(0, _plan.Granule > 1 ? LinuxErrno.EFAULT : LinuxErrno.EINVAL);
        ulong done = 0;
        for (; done < bytes; done += Page.Size)
        {
            if (done > 0 && done % (_plan.Granule << Page.Shift) == 0 && _dice.Comes(FaultsPerMille))
                return Ended(start, done, modes, LinuxErrno.EAGAIN);
            ref var page = ref Memory[PageAt(start + done)];
            if (page.IsPresent || !page.IsCached)
            {
                var error = page.IsPresent ? LinuxErrno.EEXIST : LinuxErrno.EFAULT;
                return Ended(start, done, modes, error);
            }
            page.IsPresent = true;
        }
        return Ended(start, done, modes, LinuxErrno.None);
    }

    private UffdResult Fill(
        ulong to,
        byte* from,
        ulong bytes,
        UffdModes modes,
        ReadOnlySpan<LinuxErrno> errors,
        bool isZero = false
    )
    {
        Call();
        var granule = _plan.Granule << Page.Shift;
        if (IsDead)
            return new UffdResult(0, LinuxErrno.ESRCH);
        if (bytes == 0 || (to | bytes) % granule != 0)
            return new UffdResult(0, LinuxErrno.EINVAL);
        if (FailsForGood)
        {
            HasFailedForGood = true;
            return new UffdResult(0, _dice.Of([LinuxErrno.EFAULT, LinuxErrno.EIO, LinuxErrno.EHWPOISON]));
        }
        if (RangeError(to, bytes) is var range and not LinuxErrno.None)
            return new UffdResult(0, range);
        if (IsInjected(errors, out var injected))
            return new UffdResult(0, injected);
        for (ulong done = 0; done < bytes; done += granule)
        {
            if (done > 0 && _dice.Comes(FaultsPerMille))
                return Ended(to, done, modes, LinuxErrno.EAGAIN);
            if (FillError(PageAt(to + done), isZero) is var error and not LinuxErrno.None)
                return Ended(to, done, modes, error);
            FreeGranules--;
            for (ulong i = 0; i < granule; i += Page.Size)
            {
                var source = (ulong*)(from + done + i);
                Put(PageAt(to + done + i), isZero ? 0 : source[0], isZero ? 0 : source[511]);
            }
        }
        return Ended(to, bytes, modes, LinuxErrno.None);
    }

    private LinuxErrno FillError(ulong page, bool isZero)
    {
        ref var first = ref Memory[page];
        if (first.IsPresent || first.IsCached || (isZero && first.HasMarker))
            return LinuxErrno.EEXIST;
        if (_plan.Granule > 1)
            return FreeGranules > 0 ? LinuxErrno.None : LinuxErrno.EEXIST;
        return IsShort ? LinuxErrno.ENOMEM : LinuxErrno.None;
    }

    private void Noted(string call, ulong start, ulong bytes, LinuxErrno error, ulong done = 0)
    {
        if (Trace is not null)
            Note($"{call} pages {PageAt(start)}+{bytes >> Page.Shift}: {error} {done >> Page.Shift}");
    }

    // A call that did a part answers how much, and the next one says why.
    private UffdResult Ended(ulong start, ulong done, UffdModes modes, LinuxErrno error)
    {
        if (done > 0 && (modes & UffdModes.DontWake) == 0)
            WakeRange(start, done);
        return new UffdResult(done, done > 0 && error != LinuxErrno.None ? LinuxErrno.EAGAIN : error);
    }

    private LinuxErrno RangeError(ulong start, ulong bytes)
    {
        var mapping = Memory[PageAt(start)].Mapping;
        for (var at = start; at < start + bytes; at += Page.Size)
        {
            ref var page = ref Memory[PageAt(at)];
            if (!page.IsMapped || !page.IsRegistered || page.Mapping != mapping)
                return LinuxErrno.ENOENT;
        }
        return _balloon.IsChanging ? LinuxErrno.EAGAIN : LinuxErrno.None;
    }

    private void Call()
    {
        Calls++;
        MayDie();
        if (_dice.Comes(20))
            Beside?.Invoke();
    }

    private void MayDie()
    {
        if (!KillsHandler || !_dice.Comes(40))
            return;
        KillsHandler = false;
        Note("the handler dies");
        throw new HandlerDied();
    }

    private bool IsInjected(ReadOnlySpan<LinuxErrno> errors, out LinuxErrno error)
    {
        error = LinuxErrno.None;
        if (!_dice.Comes(FaultsPerMille))
            return false;
        error = _dice.Of(errors);
        return true;
    }

    private ulong PageAt(ulong address)
    {
        foreach (var region in Regions)
        {
            if (region.Contains(address))
                return region.GfnAt(address).Value;
        }
        throw new InvalidOperationException($"a call for 0x{address:x}, which is no guest memory");
    }
}
