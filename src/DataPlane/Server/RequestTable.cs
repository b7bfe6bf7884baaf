namespace Userfault.DataPlane;

/// <summary>
/// What one client has asked for and not yet got to its end, bounded as agreed in the welcome. A client that uses
/// numbers again soon, as ours does, has each in a place of its own; numbers that fall on one place share a dictionary.
/// </summary>
internal sealed class RequestTable(uint maxRequests, uint maxPages, uint maxRequestPages)
{
    /// <summary>Places of their own; a power of two.</summary>
    public const int Places = 4096;

    private PendingRequest?[]? _places;
    private readonly Dictionary<uint, PendingRequest> _others = [];
    private readonly Stack<PendingRequest> _spare = new();
    private long _pages;
    private uint _requests;

    /// <summary>None, or why the request is against what was agreed.</summary>
    public RefusalReason TryAdd(in RequestEntry entry, out PendingRequest request)
    {
        request = _spare.TryPop(out var spare) ? spare : new PendingRequest();
        request.Reset(entry);
        if (_requests >= maxRequests || entry.PageCount > maxRequestPages || _pages + entry.PageCount > maxPages)
        {
            return RefusalReason.LimitExceeded;
        }
        ref var place = ref PlaceOf(entry.RequestId);
        if (Find(entry.RequestId) is not null)
        {
            return RefusalReason.BadFrame;
        }
        if (place is null)
        {
            place = request;
        }
        else
        {
            _others.Add(entry.RequestId, request);
        }
        _requests++;
        _pages += entry.PageCount;
        return RefusalReason.None;
    }

    public PendingRequest? Find(uint requestId)
    {
        var here = PlaceOf(requestId);
        return here?.Entry.RequestId == requestId ? here
            : _others.Count == 0 ? null
            : _others.GetValueOrDefault(requestId);
    }

    /// <summary>
    /// Answered to the end: its number and its share of the bound are free again, and so is the object.
    /// </summary>
    public void Finish(PendingRequest request)
    {
        ref var place = ref PlaceOf(request.Entry.RequestId);
        if (place == request)
        {
            place = null;
        }
        else
        {
            _others.Remove(request.Entry.RequestId);
        }
        _requests--;
        _pages -= request.Entry.PageCount;
        _spare.Push(request);
    }

    // Not taken before somebody who has shaken hands asks for something.
    private ref PendingRequest? PlaceOf(uint requestId) =>
        ref (_places ??= new PendingRequest?[Places])[requestId & (Places - 1)];
}
