namespace Userfault.Actors;

/// <summary>
/// Faults of a VM's vCPUs on their way to the memslots. vCPUs that share a dispatcher fault one after the other; what
/// has gathered by the time the gate's actor runs goes to each memslot as one message, since a message between two
/// threads costs more than a fault. Any thread may add.
/// </summary>
/// <param name="mostFaults">Faults of one message at most.</param>
public sealed class FaultGate(int mostFaults)
{
    private const int MostInOneMessage = 16;
    private const int MostIdleLanes = 16;

    private readonly Lock _lock = new();
    private readonly List<Lane> _lanes = [];
    private bool _sendIsQueued;

    /// <summary>
    /// Faults of one message for a VM of so many vCPUs: a quarter of them at most, so that all stages of a fault's way
    /// have work at any time. Were all to travel together, each stage would wait for the others, and every vCPU for all
    /// the rest.
    /// </summary>
    public static int BatchFor(int vcpus) => Math.Clamp(vcpus / 4, 1, MostInOneMessage);

    /// <summary>A vCPU's access left the guest.</summary>
    /// <param name="slot">Its memslot.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="full">What the caller tells the memslot at once: enough have gathered. Else null.</param>
    /// <returns>True for the first: the caller tells the gate's actor to send.</returns>
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

    /// <summary>Takes the faults of one memslot; false where none are left.</summary>
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
            // Slots come and go; those that are gone fault no more.
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
