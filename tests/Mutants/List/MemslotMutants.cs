namespace Userfault.Mutants;

/// <summary>User space's half of a memslot: who waits, content, bits, and what is asked for.</summary>
internal static class MemslotMutants
{
    private const string Pager = "Actors/Memslots/MemslotPager.cs";
    private const string Push = "Actors/Memslots/MemslotPager.Push.cs";
    private const string UffdQueues = "Actors/Userfaultfd/UffdQueues.cs";

    // A memslot's actor fails while a reader's pages are being put in place.
    private const string PlacingFails = """
        mode = userfaultfd
        memory = anonymous
        vcpus = 2
        pages = 64
        overlapping = on
        push = none
        locality = 0
        accesses = 100
        latency-ns = 30000
        request-pages = 1
        faults = [ "at 40000ns placing-fails 0 for 3000ns", "at 90000ns placing-fails 0 for 3000ns", "at 150000ns placing-fails 0 for 3000ns" ]
        """;

    // Faults of a few vCPUs travel one by one.
    private const string ManyVcpus = """
        vcpus = 24
        pages = 512
        overlapping = on
        """;

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new("clear-before-content", "A page's bit is cleared before its content is in place.",
            Finder.Swarm("cleared", 300),
            Pager, "_host.Place(pages[i], _memory);", """
                if (BUG) ClearBit(gfn, awaited: true);
                _host.Place(pages[i], _memory);
                """),
        new("plain-clear", "A page's bit is cleared by a plain store, which a weakly ordered machine may show before the content.",
            Finder.Swarm("cleared", 300),
            "Simulation/Swarm/SwarmMemory.cs", """
                Drain();
                if (!bitmap.Clear(index)) return false;
                """, """
                if (!BUG || view.Plan.Architecture != Architecture.Arm64) Drain();
                if (!bitmap.Clear(index)) return false;
                """),
        new("clears-wrong-bit", "The bit of the page beside the one that came is cleared.",
            Finder.Swarm("cleared", 300),
            Pager, "_memory.Publish(_bitmap, Index(gfn))", "_memory.Publish(_bitmap, Index(gfn) ^ 1)"),
        new("late-overwrite", "Content that comes for a page whose bit is clear is copied over what the guest may have written.",
            Finder.Swarm("late-content", 300),
            Pager, "_late++;", "_late++; if (BUG) _memory.Place(content);"),
        new("lost-wake", "A sleeper in userfaultfd is not woken when its page comes by way of an exit: DONTWAKE without the wake.",
            Finder.Swarm("progress", 300),
            Pager, """
                Wake(gfn, effects);
                ClearBit(gfn, awaited);
                """, """
                if (!BUG) Wake(gfn, effects);
                ClearBit(gfn, awaited);
                """),
        new("lost-event", "A read on a userfaultfd takes one event and loses the others that were queued.",
            Finder.Swarm("progress", 300),
            UffdQueues, "events = list;", "if (BUG) list.RemoveRange(1, list.Count - 1); events = list;"),
        new("forgotten-waiter", "The second vCPU that waits for a page is not remembered.",
            Finder.Swarm("progress", 300),
            Pager, "if (_exited.Add(access.Gfn, vcpu))", """
                if (BUG && _exited.IsAwaited(access.Gfn))
                    _merged++;
                else if (_exited.Add(access.Gfn, vcpu))
                """),
        new("skipped-access", "A vCPU whose page has come goes on behind its access instead of making it.",
            Finder.Swarm("progress", 300),
            Pager, "RunFaultPath(vcpu, _accesses[vcpu], effects);", "effects.Skip(vcpu, gfn, FaultKind.Mmio);"),
        new("recovery-refetches-all", "After a loss everything is asked for again, in place or not.",
            Finder.Swarm("fetch-once", 300),
            Pager, "foreach (var gfn in _exited.AwaitedPages()) effects.Fetch(ToMemory(gfn));",
            "foreach (var gfn in BUG ? PageRuns.PagesOf(Range) : _exited.AwaitedPages()) effects.Fetch(ToMemory(gfn));"),
        new("recovery-forgets-pushes", "After a loss the background pages that were on their way are not asked for again.",
            Finder.Swarm("progress", 300),
            Push, "PageRuns.Of([.. _pushed.SelectMany(PageRuns.PagesOf).Where(p => _bitmap.IsSet(Index(p)) && !_exited.IsAwaited(p)).Select(ToMemory)])", "[]"),
        new("push-settled-early", "A push counts as arrived when its first page has come.",
            Finder.Swarm("fetch-once", 30),
            Push, "if (_bitmap.Count(Index(range.Start), range.Count) != 0) continue;", "if (_bitmap.Count(Index(range.Start), range.Count) == range.Count) continue;"),
        new("push-window-leaks", "Pages that were pushed and have come go on filling the window.",
            Finder.Swarm("progress", 30),
            Push, "_pushedPages -= range.Count;", ""),
        new("neighbours-unclaimed", "Pages that are fetched with a fault are not noted as asked for.",
            Finder.Swarm("fetch-once", 100),
            Push, "_claims.Claim(above);", ""),
        new("fault-unclaimed", "A page that was asked for by a fault is pushed as well.",
            Finder.Swarm("fetch-once", 30),
            Pager, """
                _claims.Claim(new GfnRange(gfn, 1));
                effects.Fetch(ToMemory(gfn));
                """, """
                if (!BUG) _claims.Claim(new GfnRange(gfn, 1));
                effects.Fetch(ToMemory(gfn));
                """),
        new("descriptor-share-rounded-down", "The share of a userfaultfd descriptor is rounded down: the last pages of a slot belong to none.",
            Finder.Swarm("progress", 50),
            UffdQueues, "(slot.Count + (ulong)_events.Length - 1) / (ulong)_events.Length", "slot.Count / (ulong)_events.Length"),
        new("resolved-before-copied", "A userfaultfd reader forgets a page when its content comes, not when it is in place.",
            Finder.Swarm("progress", 30, PlacingFails),
            "Actors/Userfaultfd/UffdReaderActor.cs", "memslot.Tell(new MemslotProtocol.UffdCopy(fetched.Batch));", """
                if (BUG) foreach (ref readonly var page in fetched.Batch.Pages) _unresolved.Remove(page.Gfn.Value);
                memslot.Tell(new MemslotProtocol.UffdCopy(fetched.Batch));
                """),
        new("claims-end-early", "A run of pages that is asked for together goes one page too far.",
            Finder.Swarm("fetch-once", 20),
            "Paging/Policies/PageClaims.cs", "return Math.Min(limit, Math.Max(start + 1, index + (ulong)BitOperations.TrailingZeroCount(closed)));",
            "return Math.Min(limit, index + (ulong)BitOperations.TrailingZeroCount(closed) + 1);"),
        new("walk-takes-new-waiters", "Waiters of a page are taken in rounds: one that waits again meanwhile is taken for done.",
            Finder.Swarm("progress", 30),
            "Actors/Memslots/PageWaiters.cs", "if (waiter == tail - 1)", "if (BUG || waiter == tail - 1)"),
        new("gate-forgets-to-send", "Faults that gather while the gate sends are not sent.",
            Finder.Swarm("progress", 20, ManyVcpus),
            "Actors/Vcpus/FaultGate.cs", "_sendIsQueued = false;", ""),
    ];
}
