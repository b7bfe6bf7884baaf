namespace Userfault.Pages;

/// <summary>First page to last, once.</summary>
internal sealed class SequentialPush(PageClaims claims) : PushOrder(claims)
{
    private MemoryPage _next = claims.Slot.Start;

    public MemoryPageRange NextInSequence(ulong mostPages)
    {
        var range = Claims.NextOpen(_next, Claims.Slot.End, mostPages);
        _next = range.End;
        return range;
    }

    private protected override MemoryPageRange Next(ulong mostPages) => NextInSequence(mostPages);
}
