using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// Guest memory of tags behind a store buffer: content that a memslot has placed becomes visible to other cores when
/// the stores of its core drain. They drain in order before a release, and at the end of a step, which ends with
/// messages; on x86 no store passes an earlier one in any case. With a plain store on arm64, a cleared bit would become
/// visible before the content.
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
            throw new InvalidOperationException($"placing {content.Page} fails, as planned");
        }

        foreach (var checker in view.Checkers)
            checker.OnPlace(content);
        // Copies only what outlives the batch: its bytes are gone when it is released.
        _stores.Add(content.Tag == PageTag.Zero ? PageContent.Zero(content.Page) : TagOf(content));
    }

    public bool Publish(UserfaultBitmap bitmap, ulong index)
    {
        Drain();
        if (!bitmap.Clear(index))
            return false;
        foreach (var slot in view.Slots)
        {
            if (slot.Bitmap != bitmap)
                continue;
            var page = slot.Pages.Start.Plus(index);
            foreach (var checker in view.Checkers)
                checker.OnCleared(slot, page);
        }

        return true;
    }

    public void Write(MemoryPage memoryPage, GuestStamp stamp, StampLedger writes)
    {
        _memory.Write(memoryPage, stamp, writes);
        foreach (var checker in view.Checkers)
            checker.OnWrite(memoryPage, stamp.Vcpu);
    }

    public ulong Read(MemoryPage memoryPage, int vcpu)
    {
        var seen = _memory.Read(memoryPage, vcpu);
        var isGuest = view.Actor.Contains("/vcpu-", StringComparison.Ordinal);
        foreach (var checker in view.Checkers)
            checker.OnRead(memoryPage, vcpu, seen, isGuest);
        return seen;
    }

    public bool Matches(MemoryPage memoryPage, in PageContent expected, ulong delta) =>
        _memory.Matches(memoryPage, expected, delta);

    /// <summary>The content of a page as another core sees it now.</summary>
    public ulong Visible(MemoryPage memoryPage) => _memory.Read(memoryPage, 0);

    /// <summary>Makes the stores of the core that ran this step visible.</summary>
    public void Drain()
    {
        foreach (var store in _stores)
            _memory.Place(store);
        _stores.Clear();
    }

    public void Dispose() => _memory.Dispose();

    private static unsafe PageContent TagOf(in PageContent content) => PageContent.Of(content.Page, null, content.Tag);
}
