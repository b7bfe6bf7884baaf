using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler.Tests;

/// <summary>The guest's touches, and what the monitor and the machine do beside them.</summary>
internal sealed class FakeMonitor(Dice dice, InjectorPlan plan, FakeKernel kernel, FakeMemfd? memfd)
{
    private readonly ulong[] _pages =
    [
        .. kernel.Regions.SelectMany(static r =>
            Enumerable.Range((int)r.Pages.Start.Value, (int)r.Pages.Count).Select(static p => (ulong)p)
        ),
    ];
    private ulong _stamp = 0xABCD_0000_0000_0000;
    private int _nextMapping = 1 << 20;

    public IEnumerable<ulong> AllPages() => _pages;

    public ulong AnyPage() => _pages[dice.Roll(_pages.Length)];

    /// <summary>
    /// From now on nothing changes any more; a shortage ends, unless this run is for one that does not.
    /// </summary>
    public void BeginEnd()
    {
        kernel.IsShort = plan.IsStuck;
        kernel.FreeGranules = plan.IsStuck ? 0 : Math.Max(kernel.FreeGranules, _pages.Length);
    }

    /// <summary>One change of the memory, or one step of a change.</summary>
    public void Act()
    {
        var page = AnyPage();
        switch (dice.Roll(16))
        {
            case < 4:
                kernel.Balloon.Step();
                break;
            case < 7:
                RemoveSome(page);
                break;
            case 7:
                UnmapSome(page);
                break;
            case 8:
                RegisterOrNot(page);
                break;
            case 9:
                Split(page);
                break;
            case 10:
                BeFaster(page);
                break;
            case 11:
                if (plan.WritesProtected)
                    Protect(page);
                break;
            case 12 or 13:
                ChangeRoom();
                break;
            case 14:
                if (plan.Dies && dice.Comes(100))
                    kernel.IsDead = true;
                break;
            default:
                if (plan.IsFatal && dice.Comes(100))
                    kernel.FailsForGood = true;
                break;
        }
    }

    /// <summary>A vCPU goes on with its touch, as far as it gets; answers what it saw wrong.</summary>
    public string? Touch(FakeVcpu vcpu)
    {
        if (!vcpu.IsTouching || vcpu.Sleeps || kernel.IsDead)
            return null;
        ref var page = ref kernel.Memory[vcpu.Page];
        if (!page.IsMapped)
        {
            // SIGSEGV: the guest gave that memory up.
            vcpu.IsTouching = false;
            return null;
        }
        if (vcpu.IsGuest)
        {
            if (memfd!.IsMissing(vcpu.Page))
            {
                memfd.Ask(vcpu);
                return null;
            }
            // A hole of the file is zeros.
            if (!page.IsCached)
                (page.IsCached, page.First, page.Last) = (true, 0, 0);
            vcpu.IsTouching = false;
            return vcpu.Writes ? Write(ref page) : Check(ref page, vcpu.Page);
        }
        if (!page.IsPresent && !TryWithoutHandler(ref page, vcpu.Page))
            return Sleep(vcpu, page.IsCached ? UffdMessage.FlagMinor : 0);
        if (vcpu.Writes && page is { IsProtected: true, IsRegistered: true })
            return Sleep(vcpu, UffdMessage.FlagWp);
        vcpu.IsTouching = false;
        return vcpu.Writes ? Write(ref page) : Check(ref page, vcpu.Page);
    }

    // The page cache has it and nobody watches that, or nobody watches the page at all.
    private bool TryWithoutHandler(ref FakePage page, ulong number)
    {
        var first = number / plan.Granule * plan.Granule;
        if (page.IsCached && !(plan.HasMinor && page.IsRegistered))
        {
            for (var i = first; i < first + plan.Granule; i++)
                kernel.Memory[i].IsPresent = true;
            return true;
        }
        if (page.IsRegistered)
            return false;
        if (!page.IsTouched && !HasLetGo)
        {
            // Its content never came, and the monitor does not want it any more.
            (page.MustFirst, page.MustLast) = (0, 0);
        }
        for (var i = first; i < first + plan.Granule; i++)
        {
            kernel.Put(i, 0, 0);
            if (!HasLetGo && i != number && !kernel.Memory[i].IsTouched)
                (kernel.Memory[i].MustFirst, kernel.Memory[i].MustLast) = (0, 0);
        }
        return true;
    }

    /// <summary>The handler has let go of the memory: what is not there now must be zeros.</summary>
    public bool HasLetGo { get; set; }

    private static string? Sleep(FakeVcpu vcpu, ulong flags, FakeKernel kernel)
    {
        (vcpu.Sleeps, vcpu.IsQueued) = (true, true);
        kernel.Note($"vcpu sleeps on {vcpu.Page}, flags {flags}");
        vcpu.Message = new UffdMessage(
            UffdEventKind.Pagefault,
            flags | (vcpu.Writes ? UffdMessage.FlagWrite : 0),
            kernel.AddressOf(vcpu.Page)
        );
        return null;
    }

    private string? Sleep(FakeVcpu vcpu, ulong flags) => Sleep(vcpu, flags, kernel);

    private string? Write(ref FakePage page)
    {
        (page.First, page.MustFirst, page.MustLast, page.IsTouched) = (++_stamp, _stamp, page.Last, true);
        page.MayBeZero = false;
        return null;
    }

    private string? Check(ref FakePage page, ulong number)
    {
        var isZero = page is { First: 0, Last: 0 };
        if (page.MayBeZero && isZero)
            (page.MustFirst, page.MustLast) = (0, 0);
        if (!page.IsLeaving)
            (page.MayBeZero, page.IsTouched) = (false, true);
        var isRight = page.First == page.MustFirst && page.Last == page.MustLast;
        // A dead process may have written half of a page of the file, which nobody sees before it is whole; except on
        // its way out of the file.
        var isHalf = page.IsLeaving && plan is { IsFile: true, IsKilled: true };
        return isRight || (page.IsLeaving && isZero) || isHalf
            ? null
            : $"page {number} holds {page.First:x} .. {page.Last:x} and must hold {page.MustFirst:x} .. "
                + $"{page.MustLast:x}";
    }

    /// <summary>Gives some pages back, at the last moment even.</summary>
    public void RemoveAny() => RemoveSome(AnyPage());

    // Huge pages too are given back in parts at times, and then stay.
    private void RemoveSome(ulong page)
    {
        if (!kernel.Balloon.IsIdle)
            return;
        var region = Array.Find(kernel.Regions, r => r.Pages.Contains(new Pages.MemoryPage(page)));
        var unit = dice.Comes(500) ? plan.Granule : 1;
        page = page / unit * unit;
        var count = Math.Min((ulong)(1 + dice.Roll(4)) * unit, region.Pages.End.Value - page);
        kernel.Note($"remove {page}+{count}");
        kernel.Balloon.Remove(page, count);
    }

    private void UnmapSome(ulong page)
    {
        if (plan.IsSecretFree || !kernel.Balloon.IsIdle || !dice.Comes(200))
            return;
        kernel.Note($"unmap {page}");
        kernel.Balloon.Unmap(page / plan.Granule * plan.Granule, plan.Granule);
    }

    // The monitor takes a piece of memory out of the userfaultfd, or back in.
    private void RegisterOrNot(ulong page)
    {
        if (!plan.HasRival || !kernel.Balloon.IsIdle || !dice.Comes(300))
            return;
        var first = page / plan.Granule * plan.Granule;
        var isRegistered = kernel.Memory[first].IsRegistered;
        var mapping = _nextMapping++;
        kernel.Note($"registered {!isRegistered}: {first}");
        for (var i = first; i < first + plan.Granule; i++)
        {
            ref var changed = ref kernel.Memory[i];
            if (!changed.IsMapped)
                return;
            (changed.IsRegistered, changed.Mapping) = (!isRegistered, mapping);
            // In between it reads as zeros, which may be what is found later.
            if (!changed.IsPresent && !changed.IsCached)
                changed.MayBeZero = true;
        }
        if (isRegistered)
            kernel.WakeRange(kernel.AddressOf(first), plan.Granule << Page.Shift);
    }

    private void Split(ulong page)
    {
        var from = kernel.Memory[page].Mapping;
        var mapping = _nextMapping++;
        for (var i = page / plan.Granule * plan.Granule; i < (ulong)kernel.Memory.Length; i++)
        {
            if (kernel.Memory[i].Mapping == from)
                kernel.Memory[i].Mapping = mapping;
        }
    }

    // Somebody else puts a page there, with the right content.
    private void BeFaster(ulong page)
    {
        var first = page / plan.Granule * plan.Granule;
        if (!plan.HasRival || !kernel.Balloon.IsIdle || kernel.FreeGranules <= 0)
            return;
        for (var i = first; i < first + plan.Granule; i++)
        {
            ref var there = ref kernel.Memory[i];
            if (!there.IsMapped || !there.IsRegistered || there.IsPresent || there.IsCached || there.MayBeZero)
                return;
        }
        kernel.FreeGranules--;
        kernel.Note($"somebody is faster: {first}");
        var isCachedOnly = plan.IsShared && dice.Comes(500);
        for (var i = first; i < first + plan.Granule; i++)
        {
            kernel.Put(i, kernel.Memory[i].MustFirst, kernel.Memory[i].MustLast);
            kernel.Memory[i].IsPresent = !isCachedOnly;
        }
        if (!isCachedOnly)
            kernel.WakeRange(kernel.AddressOf(first), plan.Granule << Page.Shift);
    }

    private void Protect(ulong page)
    {
        ref var there = ref kernel.Memory[page];
        if (!there.IsMapped || !there.IsRegistered)
            return;
        if (there.IsPresent)
            there.IsProtected = true;
        else
            there.HasMarker = true;
    }

    private void ChangeRoom()
    {
        kernel.IsShort = dice.Comes(300);
        kernel.FreeGranules = dice.Comes(300) ? 0 : Math.Max(kernel.FreeGranules, dice.Roll(8));
    }
}
