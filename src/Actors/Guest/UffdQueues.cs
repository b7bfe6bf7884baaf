using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// The event queues of a slot's userfaultfd descriptors, each registered over an equal share of the slot, and the
/// readers that wait in read(). Each event goes to one reader.
/// </summary>
internal sealed class UffdQueues(MemoryPageRange slot, int descriptors)
{
    private const int MostEventsARead = 64;
    private readonly Queue<UffdEvent>[] _events =
    [
        .. Enumerable.Range(0, Math.Max(1, descriptors)).Select(_ => new Queue<UffdEvent>()),
    ];
    private readonly Queue<int>[] _readers =
    [
        .. Enumerable.Range(0, Math.Max(1, descriptors)).Select(_ => new Queue<int>()),
    ];

    /// <summary>Number of descriptors.</summary>
    public int Descriptors => _events.Length;

    /// <summary>The descriptor that a page is registered with.</summary>
    public int DescriptorOf(MemoryPage gfn)
    {
        var share = (slot.Count + (ulong)_events.Length - 1) / (ulong)_events.Length;
        return (int)(gfn.PagesFrom(slot.Start) / share);
    }

    /// <summary>Queues an event at its descriptor.</summary>
    public void Add(UffdEvent uffd) => _events[DescriptorOf(uffd.Page)].Enqueue(uffd);

    /// <summary>A reader waits in read().</summary>
    public void Read(int descriptor, int reader) => _readers[descriptor].Enqueue(reader);

    /// <summary>Takes a waiting reader with the events that it reads, if there are both. Call until false.</summary>
    public bool TryDeliver(int descriptor, out int reader, out IReadOnlyList<UffdEvent> events)
    {
        (reader, events) = (-1, []);
        if (_events[descriptor].Count == 0 || !_readers[descriptor].TryDequeue(out reader))
            return false;
        var list = new List<UffdEvent>();
        while (list.Count < MostEventsARead && _events[descriptor].TryDequeue(out var uffd))
            list.Add(uffd);
        events = list;
        return true;
    }
}
