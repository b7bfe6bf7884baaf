using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>First page to last, once.</summary>
internal sealed class SequentialPush(PageClaims claims) : PushOrder(claims)
{
    private Gfn _next = claims.Slot.Start;

    public GfnRange NextInSequence(ulong mostPages)
    {
        var range = Claims.NextOpen(_next, Claims.Slot.End, mostPages);
        _next = range.End;
        return range;
    }

    private protected override GfnRange Next(ulong mostPages) => NextInSequence(mostPages);
}
