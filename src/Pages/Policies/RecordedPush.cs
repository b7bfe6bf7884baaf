namespace Userfault.Pages;

/// <summary>A recorded working set in its order, then, unless it stands alone, the rest in sequence.</summary>
internal sealed class RecordedPush(PageClaims claims, WorkingSet recorded, bool isAlone) : PushOrder(claims)
{
    private readonly SequentialPush _rest = new(claims);
    private int _run;

    private protected override MemoryPageRange Next(ulong mostPages)
    {
        for (; _run < recorded.Runs.Count; _run++)
        {
            // The set covers the whole guest; this slot takes what is its own.
            var own = recorded.Runs[_run].Intersect(Claims.Slot);
            var open = own.IsEmpty ? own : Claims.NextOpen(own.Start, own.End, mostPages);
            if (!open.IsEmpty)
                return open;
        }
        return isAlone ? default : _rest.NextInSequence(mostPages);
    }
}
