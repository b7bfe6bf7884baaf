using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// A request that was passed on to a source. Batches that come before their turn are held here, because the client
/// takes the pages of a request in ascending order only.
/// </summary>
internal sealed class Relayed
{
    private Dictionary<ulong, PageBatch>? _early;

    public ulong Id { get; private set; }

    public PendingRequest Request { get; private set; } = null!;

    /// <summary>Has the source said that nothing more comes?</summary>
    public bool IsAnswered { get; set; }

    /// <summary>Begins anew; nothing may be held.</summary>
    public void Reset(ulong id, PendingRequest request) => (Id, Request, IsAnswered) = (id, request, false);

    /// <summary>False where the batch can never have its turn; the caller keeps it then.</summary>
    public bool TryHold(PageBatch batch)
    {
        var first = batch.Pages[0].Page.Value;
        return first > Request.NextPage
            && first - Request.NextPage < (ulong)Request.Remaining
            && (_early ??= []).TryAdd(first, batch);
    }

    /// <summary>The held batch whose turn it is now.</summary>
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
