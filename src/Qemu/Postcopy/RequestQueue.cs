using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Pages that the destination has requested and that are not sent, in the order of the requests, each once. The
/// destination may ask several times for a page, and after it was sent: requests and pages cross.
/// </summary>
internal sealed class RequestQueue(GuestRam ram)
{
    private readonly Queue<(MemoryPage Page, long AtNs)> _queue = new();
    private readonly HashSet<ulong> _queued = [];

    /// <summary>How many wait.</summary>
    public int Count => _queue.Count;

    /// <summary>Pages that were asked for and not sent before.</summary>
    public ulong Requested { get; private set; }

    /// <summary>A request has arrived.</summary>
    public void Add(MemoryPageRange pages, long nowNs)
    {
        for (ulong i = 0; i < pages.Count; )
        {
            var unit = ram.UnitOf(pages.Start.Plus(i));
            if (!ram.IsSent(unit.Start) && _queued.Add(unit.Start.Value))
            {
                _queue.Enqueue((unit.Start, nowNs));
                Requested += unit.Count;
            }
            i = unit.End.Value - pages.Start.Value;
        }
    }

    /// <summary>The next pages to send, all of one huge page, and when they were requested.</summary>
    public bool TryTake(out MemoryPageRange unit, out long atNs)
    {
        while (_queue.TryDequeue(out var next))
        {
            _queued.Remove(next.Page.Value);
            (unit, atNs) = (ram.UnitOf(next.Page), next.AtNs);
            if (!ram.IsSent(unit.Start))
                return true;
        }
        (unit, atNs) = (default, 0);
        return false;
    }

    /// <summary>Recovery: the destination asks again for all that it waits for.</summary>
    public void Clear()
    {
        _queue.Clear();
        _queued.Clear();
    }
}
