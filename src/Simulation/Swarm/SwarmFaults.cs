using Akka.Actor;
using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Simulation;

/// <summary>
/// Starts and ends a plan's faults, and keeps the run able to continue afterwards. Faults at the sources of pages are
/// handled by the supply.
/// </summary>
internal sealed class SwarmFaults(SimWorld world, SwarmView view, SwarmSupply supply, SwarmFaults.Actors actors)
{
    /// <summary>Pages of memory beyond the guest's, for slots that plans create.</summary>
    public const ulong ExtraPages = 64;

    private const ushort ExtraSlot = 100;
    private const ulong AwayPages = 1 << 18;
    private const long PollNs = 2_000;
    private readonly HashSet<string> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly SortedSet<string> _paths = new(StringComparer.Ordinal);
    private readonly HashSet<int> _extra = [];
    private int _holds;

    private SwarmPlan Plan => view.Plan;

    /// <summary>An actor at this path has processed a message.</summary>
    public void Seen(string path)
    {
        // A path is one string object as long as its actor lives: most are recognized by reference.
        if (_seen.Add(path))
            _paths.Add(path);
    }

    /// <summary>Schedules all faults, relative to now, and the keeper after them.</summary>
    public void Schedule(SwarmDriver.Heard heard)
    {
        for (var i = 0; i < Plan.Faults.Count; i++)
        {
            var (fault, number) = (Plan.Faults[i], i);
            world.After(fault.AtNs, "fault", () => Begin(fault, number));
            world.After(fault.EndNs, "fault", () => End(fault, number));
        }

        Keep(Plan.FaultsEndNs + 1_000, heard);
    }

    // The role of an operator and the rest of a VMM after the last fault: there is a source, and a paused VM is
    // continued.
    private void Keep(long inNs, SwarmDriver.Heard heard) =>
        world.After(
            inNs,
            "keeper",
            () =>
            {
                supply.Keep();
                if (heard.Report is null && heard.State == MigrationState.Paused)
                    Continue();
                Keep(supply.KeeperNs, heard);
            }
        );

    private void Begin(PlannedFault fault, int number)
    {
        if (supply.Begin(fault))
            return;
        switch (fault.Type)
        {
            case FaultType.FetcherCrash:
                KillFetcher(fault.Target);
                break;
            case FaultType.PlacingFails:
                view.Memory.FailsNext = true;
                break;
            case FaultType.MemslotFails:
                Kill($"/vm/memslot-0-{fault.Target % Math.Max(1, view.Slots.Count)}-");
                break;
            case FaultType.VcpuFails:
                Kill($"/vm/vcpu-{fault.Target % Plan.Vcpus}");
                break;
            case FaultType.ReaderFails:
                Kill($"-uffd-{fault.Target % Plan.Descriptors}-0");
                break;
            case FaultType.Pause:
                Vm()?.Tell(new VmProtocol.PauseVm("as planned"));
                break;
            default:
                Call(fault, number, isEnd: false);
                break;
        }
    }

    private void End(PlannedFault fault, int number)
    {
        supply.End(fault);
        switch (fault.Type)
        {
            case FaultType.PlacingFails
            or FaultType.MemslotFails
            or FaultType.VcpuFails
            or FaultType.ReaderFails
            or FaultType.Pause:
                view.Memory.FailsNext = false;
                Continue();
                break;
            default:
                Call(fault, number, isEnd: true);
                break;
        }
    }

    // KVM's calls, which the driver makes one after another while the guest runs.
    private void Call(PlannedFault fault, int number, bool isEnd)
    {
        // Not before the guest runs: a page that is mapped before USERFAULT is on would be a page of zeros.
        if (
            Vm() is not { } vm
            || view.Slots.Count == 0
            || !_paths.Any(static p => p.Contains("/vm/vcpu-", StringComparison.Ordinal))
        )
        {
            return;
        }

        var slot = view.Slots[fault.Target % view.Slots.Count];
        switch (fault.Type)
        {
            case FaultType.ToggleUserfault when Plan.Mode != FaultMode.Userfaultfd:
                // If faults are caught by exits alone, a missing page would be mapped as zeros without the flag.
                var mayTurnOff = Plan.Mode == FaultMode.Both || slot.Missing == 0;
                Tell(
                    vm,
                    Region(
                        slot,
                        slot.Core.Slot.Flags.HasFlag(MemslotFlags.Userfault) && mayTurnOff && !isEnd
                            ? slot.Core.Slot.Flags & ~MemslotFlags.Userfault
                            : slot.Core.Slot.Flags | MemslotFlags.Userfault
                    )
                );
                break;
            case FaultType.DirtyLog when Plan.Memory != MemoryKind.GuestMemfd:
                if (isEnd)
                    Tell(vm, new VmProtocol.GetDirtyLog(slot.Core.Slot.Id));
                Tell(
                    vm,
                    Region(
                        slot,
                        isEnd
                            ? slot.Core.Slot.Flags & ~MemslotFlags.LogDirtyPages
                            : slot.Core.Slot.Flags | MemslotFlags.LogDirtyPages
                    )
                );
                if (!isEnd)
                    Log(vm, slot, world.NowNs + fault.ForNs, Math.Max(500, fault.ForNs / 10));
                break;
            case FaultType.ExtraSlot or FaultType.MoveSlot:
                Extra(vm, number, fault.Type == FaultType.MoveSlot, isEnd);
                break;
            case FaultType.DeleteOwnSlot or FaultType.MoveOwnSlot when !isEnd:
                Vm()?.Tell(new VmProtocol.PauseVm("its memory layout changes"));
                _holds++;
                LayOut(
                    vm,
                    slot,
                    fault.Type == FaultType.MoveOwnSlot && Plan.Memory != MemoryKind.GuestMemfd,
                    world.NowNs + fault.ForNs
                );
                break;
            case FaultType.PreFault when !isEnd && Plan.Architecture == Architecture.X86:
                Tell(vm, new VmProtocol.PreFault(slot.Range with { Count = Math.Min(32, slot.Range.Count) }));
                break;
        }
    }

    // As in a VMM, a guest must not run while part of its memory is missing: the VM is paused, the slot is removed and
    // restored, and the VM continues.
    private void LayOut(IActorRef vm, MemslotPager slot, bool moves, long untilNs) =>
        world.After(
            PollNs,
            "lay out",
            () =>
            {
                if (!view.IsStopped)
                {
                    LayOut(vm, slot, moves, untilNs);
                    return;
                }

                var here = Region(slot, slot.Core.Slot.Flags).Region;
                var away = here;
                if (moves)
                    away.GuestPhysicalAddress += AwayPages << Page.Shift;
                else
                    away.MemorySize = 0;
                actors.Driver.Tell(
                    new SwarmDriver.Call(
                        vm,
                        [
                            new VmProtocol.SetUserMemoryRegion2(away),
                            new VmProtocol.SetUserMemoryRegion2(here, moves ? null : slot.Bitmap),
                        ],
                        () =>
                            world.After(
                                Math.Max(0, untilNs - world.NowNs),
                                "laid out",
                                () =>
                                {
                                    _holds--;
                                    Continue();
                                }
                            )
                    )
                );
            }
        );

    private void Continue()
    {
        if (_holds == 0)
            actors.Migration.Tell(MigrationProtocol.Continue.Instance);
    }

    private void Log(IActorRef vm, MemslotPager slot, long untilNs, long everyNs) =>
        world.After(
            everyNs,
            "dirty log",
            () =>
            {
                if (world.NowNs >= untilNs)
                    return;
                Tell(vm, new VmProtocol.GetDirtyLog(slot.Core.Slot.Id));
                Log(vm, slot, untilNs, everyNs);
            }
        );

    private void Extra(IActorRef vm, int number, bool moves, bool isEnd)
    {
        // Each fault has its own slot id and its own place after the guest's memory.
        var first = ((ulong)Plan.Pages + 4096) / 512 * 512 + (ulong)number * 256;
        var region = new UserspaceMemoryRegion2
        {
            Slot = SlotId.Of(0, (ushort)(ExtraSlot + number)).Raw,
            GuestPhysicalAddress = first << Page.Shift,
            MemorySize = ExtraPages << Page.Shift,
            UserspaceAddress = view.Memory.Base.Plus((ulong)Plan.Pages << Page.Shift).Value,
        };
        if (!isEnd)
        {
            _extra.Add(number);
            Tell(vm, new VmProtocol.SetUserMemoryRegion2(region));
            region.GuestPhysicalAddress += 128UL << Page.Shift;
            if (moves)
                Tell(vm, new VmProtocol.SetUserMemoryRegion2(region));
        }
        else if (_extra.Remove(number))
        {
            region.MemorySize = 0;
            Tell(vm, new VmProtocol.SetUserMemoryRegion2(region));
        }
    }

    private static VmProtocol.SetUserMemoryRegion2 Region(MemslotPager slot, MemslotFlags flags)
    {
        var now = slot.Core.Slot;
        return new VmProtocol.SetUserMemoryRegion2(
            new UserspaceMemoryRegion2
            {
                Slot = now.Id.Raw,
                Flags = (uint)flags,
                // The slot's original place, wherever it is now.
                GuestPhysicalAddress = new Gfn(slot.Pages.Start.Value).ToGpa().Value,
                MemorySize = now.Range.Count << Page.Shift,
                UserspaceAddress = now.UserspaceAddress.Value,
                GuestMemfdOffset = now.HasGuestMemfd ? now.GuestMemfdPage << Page.Shift : 0,
                GuestMemfd = now.HasGuestMemfd ? 3U : 0,
                UserfaultBitmap = flags.HasFlag(MemslotFlags.Userfault) ? HostMapping.AddressOf(slot.Bitmap).Value : 0,
            }
        );
    }

    private void Tell(IActorRef vm, VmProtocol.ICommand command) =>
        actors.Driver.Tell(new SwarmDriver.Call(vm, [command]));

    private void Kill(string part)
    {
        if (
            _paths.FirstOrDefault(p =>
                p.Contains(part, StringComparison.Ordinal)
                && (part.StartsWith('-') || !p.Contains("-uffd-", StringComparison.Ordinal))
            ) is
            { } path
        )
        {
            supply.Ref(path).Tell(Akka.Actor.Kill.Instance);
        }
    }

    // The numbers of node fetchers are hashes: the target selects one of those seen so far.
    private void KillFetcher(int target)
    {
        var all = _paths.Where(static p => p.Contains("/fetchers/fetcher-", StringComparison.Ordinal)).ToList();
        if (all.Count > 0)
            supply.Ref(all[target % all.Count]).Tell(Akka.Actor.Kill.Instance);
    }

    private IActorRef? Vm() =>
        _paths.FirstOrDefault(p => p.EndsWith("/migration/vm", StringComparison.Ordinal)) is { } path
            ? supply.Ref(path)
            : null;

    /// <summary>The actors that faults use.</summary>
    internal sealed record Actors(IActorRef Migration, IActorRef Driver);
}
