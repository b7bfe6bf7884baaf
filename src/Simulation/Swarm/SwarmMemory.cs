using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Simulation;

/// <summary>
/// Guest memory of tags behind a store buffer: what a memslot has placed is seen by other cores when its core's stores drain.
/// They drain in order before a release and at the end of a step, which ends with messages; on x86 no store passes an
/// earlier one either way. A bit that were cleared by a plain store on arm64 would be seen before the content.
/// </summary>
internal sealed class SwarmMemory(ulong pages, SwarmView view) : IGuestMemory
{
    private readonly TagGuestMemory _memory = new(pages);
    private readonly List<PageContent> _stores = [];

    /// <summary>Does the next placing fail?</summary>
    public bool FailsNext { get; set; }

    public ulong Pages => _memory.Pages;

    public Hva Base => _memory.Base;

    public ulong CapacityBytes => _memory.CapacityBytes;

    public bool HoldsTags => true;

    public void Place(in PageContent content)
    {
        if (FailsNext)
        {
            FailsNext = false;
            throw new InvalidOperationException($"placing {content.Gfn} fails, as planned");
        }

        foreach (var checker in view.Checkers) checker.OnPlace(content);
        // Only what is kept beyond the batch: bytes are gone when it is released.
        _stores.Add(content.Tag == PageTag.Zero ? PageContent.Zero(content.Gfn) : TagOf(content));
    }

    public bool Publish(UserfaultBitmap bitmap, ulong index)
    {
        Drain();
        if (!bitmap.Clear(index)) return false;
        foreach (var slot in view.Slots)
        {
            if (slot.Bitmap != bitmap) continue;
            var page = slot.Pages.Start.Plus(index);
            foreach (var checker in view.Checkers) checker.OnCleared(slot, page);
        }

        return true;
    }

    public void Write(Gfn gfn, GuestStamp stamp, StampLedger writes)
    {
        _memory.Write(gfn, stamp, writes);
        foreach (var checker in view.Checkers) checker.OnWrite(gfn, stamp.Vcpu);
    }

    public ulong Read(Gfn gfn, int vcpu)
    {
        var seen = _memory.Read(gfn, vcpu);
        var isGuest = view.Actor.Contains("/vcpu-", StringComparison.Ordinal);
        foreach (var checker in view.Checkers) checker.OnRead(gfn, vcpu, seen, isGuest);
        return seen;
    }

    public bool Matches(Gfn gfn, in PageContent expected, ulong delta) => _memory.Matches(gfn, expected, delta);

    /// <summary>What another core sees in a page now.</summary>
    public ulong Visible(Gfn gfn) => _memory.Read(gfn, 0);

    /// <summary>The stores of the core that ran this step become visible.</summary>
    public void Drain()
    {
        foreach (var store in _stores) _memory.Place(store);
        _stores.Clear();
    }

    public void Dispose() => _memory.Dispose();

    private static unsafe PageContent TagOf(in PageContent content) => PageContent.Of(content.Gfn, null, content.Tag);
}
