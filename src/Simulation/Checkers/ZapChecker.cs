using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Simulation;

/// <summary>
/// A change that zaps leaves no earlier mapping: when it is complete, no page is still mapped that was mapped before it
/// began and without interruption since. Pages are followed step by step, so the check holds whatever else maps or
/// splits in the meantime: faults, pre-faults, dirty logging.
/// </summary>
internal sealed class ZapChecker : Checker
{
    private readonly Dictionary<object, List<Remains>> _begun = new(ReferenceEqualityComparer.Instance);
    private bool _memslotRan;

    /// <inheritdoc/>
    public override string Name => "zap";

    /// <inheritdoc/>
    public override void OnMessage(in SimStep step)
    {
        if (_begun.Count > 0)
            _memslotRan |= step.Path.Contains("/memslot-", StringComparison.Ordinal);
        if (step.Message is VmProtocol.SetUserMemoryRegion2 call && !_begun.ContainsKey(call))
            _begun.Add(call, [.. ZappedBy(call.Region).Select(static s => new Remains(s))]);
    }

    /// <inheritdoc/>
    public override void AfterStep()
    {
        // One step of a memslot zaps or maps, never both: a page mapped after every step has been mapped all the time.
        if (!_memslotRan)
            return;
        _memslotRan = false;
        foreach (var (_, slots) in _begun)
        {
            foreach (var slot in slots)
                slot.Look();
        }
    }

    /// <inheritdoc/>
    public override void OnCallDone(object call)
    {
        if (!_begun.Remove(call, out var slots))
            return;
        foreach (var slot in slots)
        {
            if (slot.First is { } page)
                Violate($"{page} of {slot.Slot.Core.Slot.Id} is mapped after a zap as it was before");
        }
    }

    private IEnumerable<MemslotPager> ZappedBy(UserspaceMemoryRegion2 region)
    {
        var slot = View.Slots.FirstOrDefault(s => s.Core.Slot.Id == region.SlotId);
        var turnsOn =
            slot is not null && !slot.Core.Slot.IsUserfault && (region.MemslotFlags & MemslotFlags.Userfault) != 0;
        var goes =
            region.MemorySize == 0
            || (slot is not null && region.GuestPhysicalAddress != slot.Range.Start.ToGpa().Value);
        // The quirk: if one slot is zapped, all slots of the VM are.
        if (View.Plan.Architecture == Architecture.X86 && (turnsOn || goes))
            return View.Slots;
        return slot is not null && (turnsOn || goes) ? [slot] : [];
    }

    // The pages of a slot that were mapped when a call arrived and have been mapped ever since, by their index in the
    // slot, which may move.
    private sealed class Remains
    {
        private readonly bool[] _pages;
        private int _count;

        public Remains(MemslotPager slot)
        {
            Slot = slot;
            _pages = new bool[slot.Range.Count];
            var visitor = new Visitor(slot.Range, _pages);
            slot.Core.Table.Visit(slot.Range, ref visitor);
            _count = _pages.Count(static p => p);
        }

        public MemslotPager Slot { get; }

        public Gfn? First => _count == 0 ? null : Slot.Range.Start.Plus((ulong)Array.IndexOf(_pages, true));

        public void Look()
        {
            if (_count == 0)
                return;
            var now = new bool[_pages.Length];
            var visitor = new Visitor(Slot.Range, now);
            Slot.Core.Table.Visit(Slot.Range, ref visitor);
            _count = 0;
            for (var i = 0; i < now.Length; i++)
            {
                _pages[i] &= now[i];
                if (_pages[i])
                    _count++;
            }
        }
    }

    private readonly struct Visitor(GfnRange slot, bool[] mapped) : ITableVisitor
    {
        public bool EnterTable(Gfn start, PageLevel level, ulong pte) => true;

        public bool Leaf(Gfn start, in WalkResult leaf)
        {
            if (!leaf.IsPresent)
                return true;
            var pages = new GfnRange(start, leaf.Level.Pages()).Intersect(slot);
            mapped.AsSpan((int)pages.Start.PagesFrom(slot.Start), (int)pages.Count).Fill(true);
            return true;
        }
    }
}
