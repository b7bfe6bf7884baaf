using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// One request of the owner: its ranges are sent piece by piece as the agreed bounds permit. Guarded by the client's
/// lock.
/// </summary>
internal sealed class ClientRequest
{
    private MemoryPageRange[] _ranges = new MemoryPageRange[1];
    private int _count;
    private int _index;

    public ulong Id { get; private set; }

    public IPageSink Sink { get; private set; } = null!;

    public bool IsBackground { get; private set; }

    /// <summary>Pages that have not arrived.</summary>
    public ulong Remaining { get; set; }

    /// <summary>Pieces on the wire.</summary>
    public int Pieces { get; set; }

    /// <summary>Has the sink been notified of the end, or is it being notified? Further pages are dropped.</summary>
    public bool IsOver { get; set; }

    /// <summary>Is it in a waiting queue?</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Are pages being delivered to the sink right now?</summary>
    public bool IsDelivering { get; set; }

    /// <summary>How the request ends once the current delivery is complete.</summary>
    public FetchFailure? EndsIn { get; set; }

    public bool HasUnsent => _index < _count;

    public void Reset(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        Id = request.Id;
        Sink = sink;
        IsBackground = request.Priority == FetchPriority.Background;
        if (_ranges.Length < ranges.Length)
        {
            _ranges = new MemoryPageRange[ranges.Length];
        }
        _count = 0;
        _index = 0;
        Remaining = 0;
        foreach (var range in ranges)
        {
            if (!range.IsEmpty)
            {
                _ranges[_count++] = range;
                Remaining += range.Count;
            }
        }
        Pieces = 0;
        IsOver = IsWaiting = IsDelivering = false;
        EndsIn = null;
    }

    /// <summary>
    /// The next piece to send, of at most <paramref name="maxPages"/>; <see cref="Advance"/> takes it.
    /// </summary>
    public MemoryPageRange Peek(uint maxPages) => new(_ranges[_index].Start, Math.Min(_ranges[_index].Count, maxPages));

    public void Advance(MemoryPageRange piece)
    {
        MemoryPageRange rest = new(piece.End, _ranges[_index].Count - piece.Count);
        _ranges[_index] = rest;
        if (rest.IsEmpty)
        {
            _index++;
        }
    }
}
