using Userfault.Mmu;

namespace Userfault.Qemu;

/// <summary>
/// Requests for blocks that the destination has and the file has not: of a device that is only there. Its memory was
/// never anywhere, and reads as zeros. Sizes of such blocks are not known; what is kept of them is bounded.
/// </summary>
internal sealed class ForeignPages
{
    private const int MaxPages = 1 << 19;
    private readonly HashSet<string> _blocks = new(StringComparer.Ordinal);
    private readonly HashSet<(string Block, ulong Offset)> _seen = [];
    private readonly Queue<(string Block, ulong Offset, long AtNs)> _queue = new();

    /// <summary>The blocks.</summary>
    public IReadOnlyCollection<string> Blocks => _blocks;

    /// <summary>Pages that wait for an answer.</summary>
    public int Count => _queue.Count;

    /// <summary>A request has arrived.</summary>
    /// <exception cref="ReturnPathException">It makes no sense, or there are too many.</exception>
    public void Add(string block, ulong offset, uint bytes, long nowNs)
    {
        if (
            bytes == 0
            || (bytes / (ulong)Page.Size) + (ulong)_seen.Count > MaxPages
            || ((offset | bytes) & (Page.Size - 1)) != 0
        )
        {
            throw new ReturnPathException($"a request for {bytes} bytes at 0x{offset:x} of {block}, not in the file");
        }

        _ = _blocks.Add(block);
        for (ulong at = 0; at < bytes; at += Page.Size)
        {
            if (_seen.Add((block, offset + at)))
                _queue.Enqueue((block, offset + at, nowNs));
        }
    }

    /// <summary>The next page to answer.</summary>
    public bool TryTake(out (string Block, ulong Offset, long AtNs) page) => _queue.TryDequeue(out page);

    /// <summary>Recovery: the destination asks again for all that it waits for.</summary>
    public void Clear()
    {
        _queue.Clear();
        _seen.Clear();
    }
}
