using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>A request to a <see cref="ReplicatedSource"/> until it has ended. Reused.</summary>
/// <param name="number">Its number as a requester of the fetch engine.</param>
internal sealed class RelayedRequest(int number)
{
    private MemoryPageRange _range;
    private MemoryPageRange[]? _ranges;

    public int Number => number;

    /// <summary>The id that the client chose.</summary>
    public ulong Id { get; private set; }

    /// <summary>The sink for its answer; null once it has ended.</summary>
    public IPageSink? Sink { get; set; }

    /// <summary>Pages that have not arrived.</summary>
    public int Left { get; set; }

    public ReadOnlySpan<MemoryPageRange> Ranges => _ranges ?? new ReadOnlySpan<MemoryPageRange>(in _range);

    public void Reset(ulong id, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        (Id, Sink, Left, _range, _ranges) = (id, sink, 0, default, null);
        // Usually there is one range.
        if (ranges.Length == 1)
            _range = ranges[0];
        else
            _ranges = ranges.ToArray();
    }
}
