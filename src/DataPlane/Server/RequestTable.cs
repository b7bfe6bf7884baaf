namespace Userfault.DataPlane;

/// <summary>
/// The requests of one client that are not completely answered, bounded as agreed in the welcome. If a client reuses
/// its numbers soon, as this project's does, each has a place in an array; numbers that collide there go to a
/// dictionary.
/// </summary>
internal sealed class RequestTable(uint maxRequests, uint maxPages, uint maxRequestPages)
{
    /// <summary>Number of places in the array; a power of two.</summary>
    public const int Places = 4096;

    private PendingRequest?[]? _places;
    private readonly Dictionary<uint, PendingRequest> _others = [];
    private readonly Stack<PendingRequest> _spare = new();
    private long _pages;
    private uint _requests;

    /// <summary>Adds a request; None, or why it violates the agreement.</summary>
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
    /// The request is completely answered: its number and its share of the bound are free again, and the object is
    /// reused.
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

    // Not allocated before a client that has completed the handshake makes a request.
    private ref PendingRequest? PlaceOf(uint requestId) =>
        ref (_places ??= new PendingRequest?[Places])[requestId & (Places - 1)];
}
