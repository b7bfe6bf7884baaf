using Akka.Actor;
using Userfault.Mmu;

namespace Userfault.Actors;

// KVM_SET_USER_MEMORY_REGION2 and KVM_SET_MEMORY_ATTRIBUTES: one call at a time, each complete when every memslot that
// it concerns has done its part.
internal sealed partial class VmActor
{
    private void Call(object call, IActorRef asker)
    {
        if (call is VmProtocol.SetUserMemoryRegion2 region)
            SetRegion(region, asker);
        else
            SetAttributes((VmProtocol.SetMemoryAttributes)call, asker);
    }

    private void SetRegion(VmProtocol.SetUserMemoryRegion2 call, IActorRef asker)
    {
        var plan = RegionChecks.Plan(call.Region, _settings.Policy, _addressSpaces);
        var errno = plan.Errno == Errno.None ? Begin(plan, call, asker) : plan.Errno;
        if (_change is null)
            asker.Tell(new VmProtocol.Answer(errno));
    }

    private Errno Begin(MemslotPlan plan, VmProtocol.SetUserMemoryRegion2 call, IActorRef asker)
    {
        if (plan.Change is MemslotChange.Create or MemslotChange.Move)
        {
            var width = RegionChecks.CheckWidth(plan.New!.Range, _settings.Policy);
            if (width != Errno.None)
                return width;
        }

        switch (plan.Change)
        {
            case MemslotChange.Create:
                return Create(plan.New!, call.Bitmap);
            case MemslotChange.Delete or MemslotChange.Move:
                var id = plan.Old!.Id;
                _addressSpaces[id.AddressSpace].Invalidate(id.Id);
                _change = new Change(
                    asker,
                    plan.Old.Id,
                    plan.Change == MemslotChange.Move ? plan.New : null,
                    ZapsOthers: true,
                    true
                );
                _slots[id.Raw].Actor.Tell(MemslotProtocol.Invalidate.Instance);
                return Errno.None;
            case MemslotChange.FlagsOnly:
                var slot = plan.New!;
                if (slot.IsUserfault && !_host.HoldsBitmap(slot.UserfaultBitmap))
                    Expose(slot);
                _addressSpaces[slot.Id.AddressSpace].Install(slot);
                _change = new Change(asker, slot.Id, slot, slot.IsUserfault && !plan.Old!.IsUserfault, false);
                _slots[slot.Id.Raw].Actor.Tell(new MemslotProtocol.ChangeFlags(slot));
                return Errno.None;
            default:
                return Errno.None;
        }
    }

    // User space may pass memory that the VM does not know: the bit cannot be read then, and a fault is a bare EFAULT.
    private void Expose(Memslot slot)
    {
        var bitmap = _slots[slot.Id.Raw].Pager.Bitmap;
        if (HostMapping.AddressOf(bitmap) == slot.UserfaultBitmap)
            _host.ExposeBitmap(bitmap);
    }

    private Errno Create(Memslot slot, UserfaultBitmap? bitmap)
    {
        if (slot.HasGuestMemfd)
        {
            var bound = _host.Bind(slot.Id, slot.GuestMemfdPage, slot.Range.Count);
            if (bound != Errno.None)
                return bound;
            slot = slot with { GuestMemfd = _host };
        }

        bitmap ??= UserfaultBitmap.Allocate(slot.Range.Count);
        if (bitmap.Pages != slot.Range.Count)
            throw new ArgumentException($"{slot.Id} has {slot.Range.Count} pages and its bitmap {bitmap.Pages}");
        if (slot.IsUserfault && HostMapping.AddressOf(bitmap) == slot.UserfaultBitmap)
            _host.ExposeBitmap(bitmap);
        var core = new MemslotCore(slot, _settings.Policy, _host, new TableOptions { Readers = _space.Readers })
        {
            Attributes = _attributes,
        };
        var pager = new MemslotPager(
            core,
            bitmap,
            _host,
            _settings.Content.Memory,
            new MemslotPagerSettings(_settings.Mode, _settings.Memory, _vcpus.Count)
        );
        // A slot that was deleted and is created again with its bitmap continues its sequence of batches. A different
        // slot with the same number is not announced to replicas, which would mistake its pages for those of the former
        // slot.
        var isKnown = !_deleted.Remove(slot.Id.Raw, out var former) || former.Bitmap == bitmap;
        if (isKnown)
            pager.Cleared = former.Clears;
        _settings.SlotCreated?.Invoke(pager);
        var wiring = new MemslotWiring(
            Self,
            _settings.Name,
            _vcpus,
            _gate,
            _fetchers,
            _listener,
            _settings.Memslot,
            _settings.BroadcastsClears && isKnown,
            _settings.TellsWanted
        );
        var actor = Context.ActorOf(
            Dispatched(MemslotActor.Props(pager, wiring), _settings.MemslotDispatcher),
            $"memslot-{slot.Id.AddressSpace}-{slot.Id.Id}-{_addressSpaces[slot.Id.AddressSpace].Current.Number}"
        );
        _addressSpaces[slot.Id.AddressSpace].Install(slot);
        _slots.Add(slot.Id.Raw, (pager, actor));
        _fetchers.Tell(new FetcherPoolProtocol.Register(actor));
        StartReaders(actor);
        Publish();
        if (_push is not null)
            actor.Tell(_push);
        return Errno.None;
    }

    private void StartReaders(IActorRef memslot)
    {
        if (_settings.Mode == FaultMode.Userfault)
            return;
        for (var descriptor = 0; descriptor < _settings.Memslot.UffdDescriptors; descriptor++)
        {
            for (var reader = 0; reader < _settings.Memslot.UffdReaders; reader++)
            {
                Context.ActorOf(
                    Dispatched(UffdReaderActor.Props(memslot, descriptor, _fetchers), _settings.MemslotDispatcher),
                    $"{memslot.Path.Name}-uffd-{descriptor}-{reader}"
                );
            }
        }
    }

    private void SetAttributes(VmProtocol.SetMemoryAttributes call, IActorRef asker)
    {
        if (!_settings.Policy.HasPrivateMemory || call.Range.IsEmpty)
        {
            asker.Tell(new VmProtocol.Answer(Errno.EINVAL));
            return;
        }

        _attributes = _attributes.With(call.Range, call.IsPrivate);
        if (_slots.Count == 0)
        {
            asker.Tell(new VmProtocol.Answer(Errno.None));
            return;
        }

        _change = new Change(asker, default, null, false, false) { Outstanding = _slots.Count };
        foreach (var (_, (_, slot)) in _slots)
            slot.Tell(new MemslotProtocol.ChangeAttributes(_attributes, call.Range));
    }

    private void OnSlotChanged(SlotId id)
    {
        if (_change is not { } change)
            return;
        if (--change.Outstanding > 0)
            return;
        // Before anybody has looked at the slots nothing is mapped.
        if (change.ZapsOthers && _settings.Policy.ZapsAllSlots && _slots.Count > 1 && _isLookedAt)
        {
            // The quirk: if one slot is zapped, all slots of the VM are.
            change.ZapsOthers = false;
            change.Outstanding = _slots.Count - 1;
            foreach (var (raw, (_, slot)) in _slots)
            {
                if (raw != change.Id.Raw)
                    slot.Tell(MemslotProtocol.ZapAll.Instance);
            }

            return;
        }

        End(change);
    }

    private void End(Change change)
    {
        if (change.RemovesFirst)
        {
            change.RemovesFirst = false;
            FinishRemoval(change);
            if (change.New is null)
            {
                // A slot that is created again writes to the same bitmap: the former one must have finished writing
                // before.
                change.Outstanding = 1;
                return;
            }
        }
        else if (change.IsDelete)
        {
            var pager = _slots[change.Id.Raw].Pager;
            _retired.Add(pager);
            _deleted[change.Id.Raw] = (pager.Bitmap, pager.Cleared);
            _slots.Remove(change.Id.Raw);
        }

        _change = null;
        change.Asker.Tell(new VmProtocol.Answer(Errno.None));
        // At once, and not through the mailbox, which may already hold a call that arrived later.
        while (_change is null && _waitingCalls.TryDequeue(out var waiting))
            Call(waiting.Call, waiting.Asker);
    }

    private void FinishRemoval(Change change)
    {
        var actor = _slots[change.Id.Raw].Actor;
        var set = _addressSpaces[change.Id.AddressSpace];
        if (change.New is { } moved)
        {
            set.Install(moved);
            actor.Tell(new MemslotProtocol.Activate(moved));
        }
        else
        {
            set.Remove(change.Id.Id);
            // Waiters repeat their accesses and find no slot.
            actor.Tell(MemslotProtocol.Retire.Instance);
        }

        Publish();
    }

    // Leaves out a slot that is being removed and has not finished yet. The list costs as much as there are slots: it
    // is not built for each of the tens of thousands that a VM begins with, but when something first reads it.
    private void Publish()
    {
        _isPublished = false;
        if (_isLookedAt)
            PublishNow();
    }

    // From the first look on, every change is published at once.
    private void PublishNow()
    {
        _isLookedAt = true;
        if (_isPublished)
            return;
        _isPublished = true;
        _space.Publish(
            from s in _slots.Values
            let slot = _addressSpaces[s.Pager.Core.Slot.Id.AddressSpace].FindById(s.Pager.Core.Slot.Id.Id)
            where slot is not null
            select new SlotView(slot.Id, slot.Range, s.Pager.Core, s.Actor)
        );
    }

    // A change in progress, and the steps that are left.
    private sealed record Change(IActorRef Asker, SlotId Id, Memslot? New, bool ZapsOthers, bool RemovesFirst)
    {
        public bool ZapsOthers { get; set; } = ZapsOthers;

        public bool RemovesFirst { get; set; } = RemovesFirst;

        public bool IsDelete { get; } = RemovesFirst && New is null;

        public int Outstanding { get; set; } = 1;
    }
}
