namespace Userfault.Mutants;

/// <summary>Memslots that change while the guest runs: flushes, moves, deletions, new slots.</summary>
internal static class SlotChangeMutants
{
    private const string PagerChanges = "Actors/Memslots/MemslotPager.Changes.cs";
    private const string ActorChanges = "Actors/Memslots/MemslotActor.Changes.cs";
    private const string Regions = "Actors/Vms/VmActor.Regions.cs";

    // The moment between the answer and the flush is short: here many vCPUs write meanwhile.
    private const string Logging = """
        memory = anonymous
        mode = both
        vcpus = 6
        pages = 16
        slot-pages = 0
        overlapping = on
        accesses = 300
        write-percent = 60
        access-ns = 1000
        slice-accesses = 4
        order-window = 512
        step-ns = 100
        faults = [ "at 60000ns dirty-log 0 for 200000ns" ]
        """;

    // What sleeps while a slot goes is a device, since vCPUs are stopped: here one sleeps most of the time.
    private const string Deleting = """
        memory = anonymous
        mode = both
        vcpus = 2
        pages = 200
        slot-pages = 0
        overlapping = on
        accesses = 100
        push = none
        locality = 0
        host-accesses = 40
        latency-ns = 30000
        faults = [ "at 60000ns delete-own-slot 0 for 1000ns" ]
        """;

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new("shootdown-skips-vcpu", "Where several vCPUs hold translations, one is not told to flush, and counts as having answered.",
            Finder.Swarm("translation", 300),
            ActorChanges, "if (_flush.Owes(vcpu, generation))",
            "if (BUG && vcpu == 1) _flush.Acknowledge(vcpu, generation); else if (_flush.Owes(vcpu, generation))"),
        new("answers-before-flush", "A dirty log is handed out before the TLBs that may still permit unlogged writes are flushed.",
            Finder.Swarm("translation", 300, Logging),
            ActorChanges, "_afterFlush.Add((Sender, answer));", "Sender.Tell(answer);"),
        new("forgotten-held-back", "One of those that wait for a flush or for the end of an invalidation is forgotten.",
            Finder.Swarm("progress", 300),
            PagerChanges, "foreach (var vcpu in _heldBack) effects.Resume(vcpu);",
            "foreach (var vcpu in _heldBack.Skip(BUG ? 1 : 0)) effects.Resume(vcpu);"),
        new("deleted-slot-keeps-sleepers", "When a slot is deleted, those who wait in it are not let go.",
            Finder.Swarm("progress", 300, Deleting),
            ActorChanges, "_pager.Evict(_effects);", ""),
        new("new-slot-not-pushed", "A slot that is created while pages are pushed has none pushed.",
            Finder.Swarm("progress", 300),
            Regions, "if (_push is not null) actor.Tell(_push);", ""),
        new("moved-slot-keeps-sleepers", "When a slot moves, those who sleep in userfaultfd stay at its former place.",
            Finder.Swarm("progress", 30),
            PagerChanges, "foreach (var gfn in _sleeping.AwaitedPages()) Release(_sleeping, gfn, effects);", ""),
        new("answered-before-dropped", "A vCPU answers a shootdown before it has dropped its translations.",
            Finder.Swarm("translation", 60),
            "Actors/Vcpus/VcpuActor.cs", "core.Flush(flush.Range);", ""),
        new("old-flush-acknowledged", "A change goes on when the first vCPU has flushed.",
            Finder.Swarm("translation", 30, Logging),
            "Actors/Memslots/SlotFlush.cs", "_shootdown.Completed < _shootdown.Requested", "false"),
    ];
}
