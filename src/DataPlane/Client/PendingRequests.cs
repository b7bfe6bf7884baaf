using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// A client's pending requests: those that wait, the pieces on the wire, and the bounds agreed with the server. It
/// decides what may be sent and whether an answer matches a request. No socket and no lock: the shell guards it.
/// </summary>
internal sealed class PendingRequests
{
    private const int SlotBits = 16;

    private readonly Dictionary<ulong, ClientRequest> _byId = [];
    private readonly Queue<ClientRequest> _demand = new();
    private readonly Queue<ClientRequest> _background = new();
    private readonly Stack<ClientRequest> _spare = new();
    private readonly Stack<int> _freeSlots = new();
    private Piece[] _pieces = [];
    private uint _maxPages;
    private uint _maxPiecePages;
    private uint _pages;

    public int OnTheWire => _pieces.Length - _freeSlots.Count;

    /// <summary>The server has announced its limits: pieces can be sent from now on.</summary>
    public void Open(int maxRequests, uint maxPages, uint maxRequestPages)
    {
        _maxPages = maxPages;
        // A piece is at most a quarter of the bound, so that several are in flight even if all are long.
        _maxPiecePages = Math.Min(maxRequestPages, Math.Max(maxPages / 4, 1));
        _pieces = new Piece[maxRequests];
        for (var slot = maxRequests - 1; slot >= 0; slot--)
        {
            _pieces[slot].Number = (uint)slot;
            _freeSlots.Push(slot);
        }
    }

    /// <summary>Adds a request for at least one page.</summary>
    /// <exception cref="ArgumentException">Its id is in use.</exception>
    public void Add(in PageRequest head, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        var request = _spare.TryPop(out var spare) ? spare : new ClientRequest();
        request.Reset(head, ranges, sink);
        if (!_byId.TryAdd(head.Id, request))
        {
            _spare.Push(request);
            throw new ArgumentException($"request {head.Id} is outstanding", nameof(head));
        }
        request.IsWaiting = true;
        (request.IsBackground ? _background : _demand).Enqueue(request);
    }

    /// <summary>
    /// The next piece to send, recorded as on the wire; false if nothing waits or the bounds are reached.
    /// </summary>
    public bool TrySend(long nowMs, out RequestEntry entry) =>
        TrySend(_demand, _maxPages, spareSlots: 0, nowMs, out entry)
        // Background leaves a quarter of the bounds free: later demand need not wait for it to drain.
        || (
            _demand.Count == 0
            && TrySend(_background, _maxPages - (_maxPages / 4), _pieces.Length / 4, nowMs, out entry)
        );

    /// <summary>
    /// Ends a request early. Null if it has ended, or ends by itself after the current delivery.
    /// </summary>
    public ClientRequest? Cancel(ulong id, List<uint> numbersOnTheWire)
    {
        if (!_byId.Remove(id, out var request))
        {
            return null;
        }
        for (var slot = 0; slot < _pieces.Length && request.Pieces > 0; slot++)
        {
            if (_pieces[slot].Request == request)
            {
                numbersOnTheWire.Add(_pieces[slot].Number);
            }
        }
        return End(request, FetchFailure.Cancelled);
    }

    /// <summary>Ends every request: the connection has ended.</summary>
    public List<ClientRequest> EndAll(FetchFailure failure)
    {
        List<ClientRequest> ended = [];
        foreach (var request in _byId.Values)
        {
            if (End(request, failure) is not null)
            {
                ended.Add(request);
            }
        }
        _byId.Clear();
        return ended;
    }

    /// <summary>
    /// Checks a frame against the requests and, if it matches, advances by its pages. The request is null if the pages
    /// belong to a cancelled request and are dropped. False if no request matches.
    /// </summary>
    public bool TryTake(
        FrameHeader header,
        in PageRecord record,
        long nowMs,
        out ClientRequest? request,
        out bool isLast
    )
    {
        request = null;
        isLast = false;
        var slot = (int)(record.RequestId & ((1u << SlotBits) - 1));
        if (slot >= _pieces.Length)
        {
            return false;
        }
        ref var piece = ref _pieces[slot];
        var isEndOfPiece = record.PageCount == piece.Remaining;
        if (
            piece.Request is null
            || piece.Number != record.RequestId
            || record.PageCount == 0
            || record.FirstPage != piece.NextPage
            || record.PageCount > piece.Remaining
            || (header.Flags == FrameHeader.Last) != isEndOfPiece
            || (header.Type == FrameType.End && !isEndOfPiece)
        )
        {
            return false;
        }
        piece.NextPage += record.PageCount;
        piece.LastFrameMs = nowMs;
        var owner = piece.Request;
        if (isEndOfPiece)
        {
            FreeSlot(slot, ref piece);
        }
        if (header.Type != FrameType.End)
        {
            owner.Remaining -= record.PageCount;
        }
        if (owner.IsOver || owner.EndsIn is not null)
        {
            Recycle(owner);
            return true;
        }
        request = owner;
        isLast = owner.Remaining == 0;
        owner.IsDelivering = true;
        if (isLast)
        {
            owner.IsOver = true;
            _byId.Remove(owner.Id);
        }
        return true;
    }

    /// <summary>The server has ended a piece: the request ends. Null as in <see cref="Cancel"/>.</summary>
    public ClientRequest? Fail(ClientRequest request, FetchFailure failure)
    {
        request.IsDelivering = false;
        _byId.Remove(request.Id);
        return End(request, failure);
    }

    /// <summary>
    /// The sink has received its pages. Returns how the request ends if it was ended meanwhile, otherwise null.
    /// </summary>
    public FetchFailure? Delivered(ClientRequest request)
    {
        request.IsDelivering = false;
        if (request.EndsIn is null)
        {
            Recycle(request);
            return null;
        }
        // Not recycled: the caller still needs it.
        request.IsOver = true;
        return request.EndsIn;
    }

    private void Recycle(ClientRequest request)
    {
        // It is reused once nothing refers to it.
        if (
            request is { IsOver: true, Pieces: 0, IsWaiting: false, IsDelivering: false }
            && _spare.Count < _pieces.Length
        )
        {
            _spare.Push(request);
        }
    }

    /// <summary>
    /// When the piece that has waited longest was last answered or sent; null if none is on the wire.
    /// </summary>
    public long? OldestFrameMs()
    {
        long? oldest = null;
        foreach (ref var piece in _pieces.AsSpan())
        {
            if (piece.Request is not null && !(piece.LastFrameMs >= oldest))
            {
                oldest = piece.LastFrameMs;
            }
        }
        return oldest;
    }

    private bool TrySend(Queue<ClientRequest> queue, uint maxPages, int spareSlots, long nowMs, out RequestEntry entry)
    {
        entry = default;
        while (queue.TryPeek(out var request))
        {
            if (request.IsOver || !request.HasUnsent)
            {
                queue.Dequeue();
                request.IsWaiting = false;
                Recycle(request);
                continue;
            }
            var range = request.Peek(_maxPiecePages);
            // A bound smaller than the piece must not block it for ever: a single piece may always be sent.
            if (_freeSlots.Count <= spareSlots || (_pages > 0 && _pages + range.Count > maxPages))
            {
                return false;
            }
            request.Advance(range);
            entry = Enter(request, range, nowMs);
            if (!request.HasUnsent)
            {
                queue.Dequeue();
                request.IsWaiting = false;
            }
            return true;
        }
        return false;
    }

    private RequestEntry Enter(ClientRequest request, MemoryPageRange range, long nowMs)
    {
        ref var piece = ref _pieces[_freeSlots.Pop()];
        piece.Request = request;
        piece.PageCount = (uint)range.Count;
        piece.NextPage = range.Start.Value;
        piece.EndPage = range.End.Value;
        piece.LastFrameMs = nowMs;
        request.Pieces++;
        _pages += piece.PageCount;
        return new RequestEntry(piece.NextPage, piece.PageCount, piece.Number, request.IsBackground);
    }

    private void FreeSlot(int slot, ref Piece piece)
    {
        _pages -= piece.PageCount;
        piece.Request!.Pieces--;
        piece.Request = null;
        // A different number for the next use of the slot: a repeated answer is not mistaken for the next one's.
        piece.Number += 1u << SlotBits;
        _freeSlots.Push(slot);
    }

    private static ClientRequest? End(ClientRequest request, FetchFailure failure)
    {
        if (request.IsDelivering)
        {
            request.EndsIn = failure;
            return null;
        }
        request.IsOver = true;
        return request;
    }
}
