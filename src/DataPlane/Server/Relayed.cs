using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// A request that was passed on to a source. Batches that arrive early are held here, because the client accepts the
/// pages of a request only in ascending order.
/// </summary>
internal sealed class Relayed
{
    private Dictionary<ulong, PageBatch>? _early;

    public ulong Id { get; private set; }

    public PendingRequest Request { get; private set; } = null!;

    /// <summary>Has the source sent its last batch?</summary>
    public bool IsAnswered { get; set; }

    /// <summary>Reuses the object for a new request; no batch may be held.</summary>
    public void Reset(ulong id, PendingRequest request) => (Id, Request, IsAnswered) = (id, request, false);

    /// <summary>False if the batch can never be due; the caller then keeps it.</summary>
    public bool TryHold(PageBatch batch)
    {
        var first = batch.Pages[0].Page.Value;
        return first > Request.NextPage
            && first - Request.NextPage < (ulong)Request.Remaining
            && (_early ??= []).TryAdd(first, batch);
    }

    /// <summary>The held batch that is due now.</summary>
    public bool TryNext(out PageBatch? batch)
    {
        batch = null;
        return _early?.Remove(Request.NextPage, out batch) == true;
    }

    public void ReleaseHeld()
    {
        if (_early is null)
        {
            return;
        }
        foreach (var batch in _early.Values)
        {
            batch.Release();
        }
        _early.Clear();
    }
}
