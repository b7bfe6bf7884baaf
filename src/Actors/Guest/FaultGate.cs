namespace Userfault.Actors;

/// <summary>
/// Collects the faults of a VM's vCPUs on their way to the memslots. vCPUs that share a dispatcher fault one after
/// another; the faults collected by the time the gate's actor runs go to each memslot as one message, since a message
/// between two threads costs more than a fault. Adding is thread-safe.
/// </summary>
/// <param name="mostFaults">Maximum faults per message.</param>
public sealed class FaultGate(int mostFaults)
{
    private const int MostInOneMessage = 16;
    private const int MostIdleLanes = 16;

    private readonly Lock _lock = new();
    private readonly List<Lane> _lanes = [];
    private bool _sendIsQueued;

    /// <summary>
    /// Maximum faults per message for a VM with this many vCPUs: a quarter of them, so that every stage of the fault
    /// path has work at any time. If all faults travelled together, each stage would wait for the others, and every
    /// vCPU for all other vCPUs.
    /// </summary>
    public static int BatchFor(int vcpus) => Math.Clamp(vcpus / 4, 1, MostInOneMessage);

    /// <summary>A vCPU's access left the guest.</summary>
    /// <param name="slot">Its memslot.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="full">If enough faults have been collected: the message that the caller sends to the memslot.
    /// Otherwise null.</param>
    /// <returns>True for the first fault since the last send: the caller sends SendFaults to the gate's
    /// actor.</returns>
    public bool Add(SlotView slot, in MemslotProtocol.MemoryFault fault, out MemslotProtocol.MemoryFaults? full)
    {
        full = null;
        lock (_lock)
        {
            var lane = LaneOf(slot);
            lane.Faults.Add(fault);
            if (lane.Faults.Count >= mostFaults)
                full = Take(lane);
            if (_sendIsQueued || full is not null)
                return false;
            return _sendIsQueued = true;
        }
    }

    /// <summary>Takes the faults of one memslot; false if none are left.</summary>
    public bool TryTake(out SlotView slot, out MemslotProtocol.MemoryFaults faults)
    {
        lock (_lock)
        {
            foreach (var lane in _lanes)
            {
                if (lane.Faults.Count == 0)
                    continue;
                (slot, faults) = (lane.Slot, Take(lane));
                return true;
            }

            _sendIsQueued = false;
            // Slots are created and deleted; deleted ones do not fault any more.
            if (_lanes.Count > MostIdleLanes)
                _lanes.Clear();
        }

        (slot, faults) = (null!, null!);
        return false;
    }

    private Lane LaneOf(SlotView slot)
    {
        foreach (var lane in _lanes)
        {
            if (ReferenceEquals(lane.Slot, slot))
                return lane;
        }

        var made = new Lane(slot);
        _lanes.Add(made);
        return made;
    }

    private static MemslotProtocol.MemoryFaults Take(Lane lane)
    {
        var faults = new MemslotProtocol.MemoryFaults(lane.Faults.ToArray());
        lane.Faults.Clear();
        return faults;
    }

    private sealed class Lane(SlotView slot)
    {
        public SlotView Slot { get; } = slot;

        public List<MemslotProtocol.MemoryFault> Faults { get; } = [];
    }
}
