using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>From the last fault outward, nearest run first; from the slot's start while nothing has faulted.</summary>
internal sealed class OutwardPush(PageClaims claims) : PushOrder(claims)
{
    private Gfn _centre = claims.Slot.Start;

    // What lies between these two was offered already since the last fault.
    private Gfn _below = claims.Slot.Start;
    private Gfn _above = claims.Slot.Start;

    public override void OnFault(Gfn gfn) => (_centre, _below, _above) = (gfn, gfn, gfn);

    private protected override GfnRange Next(ulong mostPages)
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
