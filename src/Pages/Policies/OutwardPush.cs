namespace Userfault.Pages;

/// <summary>From the last fault outward, nearest run first; from the slot's start while nothing has faulted.</summary>
internal sealed class OutwardPush(PageClaims claims) : PushOrder(claims)
{
    private MemoryPage _centre = claims.Slot.Start;

    // What lies between these two was offered already since the last fault.
    private MemoryPage _below = claims.Slot.Start;
    private MemoryPage _above = claims.Slot.Start;

    public override void OnFault(MemoryPage page) => (_centre, _below, _above) = (page, page, page);

    private protected override MemoryPageRange Next(ulong mostPages)
    {
        var above = Claims.NextOpen(_above, Claims.Slot.End, mostPages);
        var below = Claims.LastOpen(_below, mostPages);
        if (above.IsEmpty && below.IsEmpty)
            return default;
        if (below.IsEmpty || (!above.IsEmpty && above.Start.PagesFrom(_centre) <= _centre.PagesFrom(below.End)))
        {
            _above = above.End;
            return above;
        }
        _below = below.Start;
        return below;
    }
}
