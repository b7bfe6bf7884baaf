using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Simulation;

/// <summary>
/// A change that zaps leaves nothing mapped from before: when it is complete a slot has at most as many leaves as faults
/// have mapped since it began.
/// </summary>
public sealed class ZapChecker : Checker
{
    private readonly Dictionary<object, (MemslotPager Slot, long Mapped)[]> _begun = new(ReferenceEqualityComparer.Instance);

    /// <inheritdoc/>
    public override string Name => "zap";

    /// <inheritdoc/>
    public override void OnMessage(in SimStep step)
    {
        if (step.Message is not VmProtocol.SetUserMemoryRegion2 call || _begun.ContainsKey(call)) return;
        _begun.Add(call, [.. ZappedBy(call.Region).Select(s => (s, Mapped(s)))]);
    }

    /// <inheritdoc/>
    public override void OnCallDone(object call)
    {
        if (!_begun.Remove(call, out var slots)) return;
        foreach (var (slot, mapped) in slots)
        {
            var leaves = slot.Core.Table.Counters;
            var all = leaves.Leaves4K + leaves.Leaves2M + leaves.Leaves1G;
            var since = Mapped(slot) - mapped;
            if (all > since) Violate($"{slot.Core.Slot.Id} has {all} leaves after a zap, and faults have mapped {since} since it began");
        }
    }

    private IEnumerable<MemslotPager> ZappedBy(UserspaceMemoryRegion2 region)
    {
        // A pre-fault maps without a fault, and a write to a huge leaf that is logged makes many leaves of one.
        if (View.Plan.Faults.Any(f => f.Type is FaultType.PreFault or FaultType.DirtyLog)) return [];
        var slot = View.Slots.FirstOrDefault(s => s.Core.Slot.Id == region.SlotId);
        var turnsOn = slot is not null && !slot.Core.Slot.IsUserfault && (region.MemslotFlags & MemslotFlags.Userfault) != 0;
        var zapsAll = View.Plan.Architecture == Architecture.X86 && (turnsOn || (slot is null && region.MemorySize == 0));
        return zapsAll ? View.Slots : turnsOn ? [slot!] : [];
    }

    private static long Mapped(MemslotPager slot) => slot.Counters().Outcomes.GetValueOrDefault(nameof(FaultKind.Mapped));
}
