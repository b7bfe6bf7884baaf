namespace Userfault.Paging;

/// <summary>What one client has asked for and not yet got to its end, bounded as agreed in the welcome.</summary>
internal sealed class RequestTable(uint maxRequests, uint maxPages, uint maxRequestPages)
{
    private readonly Dictionary<uint, PendingRequest> _byId = [];
    private readonly Stack<PendingRequest> _spare = new();
    private long _pages;

    /// <summary>None, or why the request is against what was agreed.</summary>
    public RefusalReason TryAdd(in RequestEntry entry, out PendingRequest request)
    {
        request = _spare.TryPop(out PendingRequest? spare) ? spare : new PendingRequest();
        request.Reset(entry);
        if (_byId.Count >= maxRequests || entry.PageCount > maxRequestPages || _pages + entry.PageCount > maxPages)
        {
            return RefusalReason.LimitExceeded;
        }
        if (!_byId.TryAdd(entry.RequestId, request))
        {
            return RefusalReason.BadFrame;
        }
        _pages += entry.PageCount;
        return RefusalReason.None;
    }

    public PendingRequest? Find(uint requestId) => _byId.GetValueOrDefault(requestId);

    /// <summary>Answered to the end: its number and its share of the bound are free again, and so is the object.</summary>
    public void Finish(PendingRequest request)
    {
        _byId.Remove(request.Entry.RequestId);
        _pages -= request.Entry.PageCount;
        _spare.Push(request);
    }
}
