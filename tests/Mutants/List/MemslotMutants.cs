namespace Userfault.Mutants;

/// <summary>User space's half of a memslot: who waits, content, bits, and what is asked for.</summary>
internal static class MemslotMutants
{
    private const string Pager = "Actors/Memslots/MemslotPager.cs";
    private const string Push = "Actors/Memslots/MemslotPager.Push.cs";
    private const string UffdQueues = "Actors/Userfaultfd/UffdQueues.cs";

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
    ];
}
