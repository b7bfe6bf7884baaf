namespace Userfault.Mutants;

/// <summary>What nodes tell each other: replicas of bitmaps, links, who is gone.</summary>
internal static class NodeMutants
{
    private const string Replica = "Nodes/Replicas/BitmapReplica.cs";
    private const string Publisher = "Nodes/Replicas/ClearPublisherActor.cs";
    private const string Links = "Nodes/Links/PageLinksCore.cs";
    private const string Pool = "Actors/Fetchers/FetcherPoolActor.cs";

    // Where chance takes long: all connections break while the guest runs, a node dies, or the source falls silent for a while.
    private const string Breaks = "faults = [ \"at 100000ns connections-break 0 for 1000ns\" ]\n";

    private const string NodeDies = """
        source-nodes = 1
        fetcher-nodes = 2
        other-destinations = 0
        head-start-ns = 1500000000
        latency-ns = 100000
        pages = 1100
        overlapping = on
        vcpus = 6
        accesses = 300
        pattern = random
        push = none
        faults = [ "at 400000ns node-dies 1 for 3000000000ns" ]
        """;

    private const string FallsSilent = """
        mode = userfaultfd
        memory = shmem
        pages = 14
        vcpus = 1
        accesses = 8
        push = none
        host-accesses = 10
        latency-ns = 100000
        jitter-ns = 400000
        source-nodes = 1
        fetcher-nodes = 3
        other-destinations = 0
        head-start-ns = 1500000000
        request-pages = 1
        timeout-ns = 20000000
        tick-ns = 10000000
        faults = [ "at 7438921ns node-deaf 0 for 366513488ns" ]
        """;

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new("lost-clears-unrepaired", "A batch of cleared bits that was lost on its way is not asked for by the replicas that miss it.",
            Finder.Cluster("replica", 100),
            Replica, "if (IsRepairing) return false;", "if (IsRepairing || BUG) return false;"),
        new("wrong-clear-mask", "What is told of cleared bits is one page beside them.",
            Finder.Cluster("replica", 100),
            "Actors/Memslots/ClearBatch.cs", "1UL << (int)(index % 64)", "1UL << (int)((index ^ 1) % 64)"),
        new("stale-replica", "A replica that begins late takes what was cleared before for known.",
            Finder.Cluster("replica", 100),
            Replica, "var isBehind = _whole < _reported;", """
                if (BUG && _reported == 0) _whole = _seen = sequence;
                var isBehind = _whole < _reported;
                """),
        new("former-slot-asked", "Of a slot that was deleted and came back, the former one is asked for what replicas have missed, and says nothing.",
            Finder.Cluster("replica", 100),
            new Rewrite("Actors/Memslots/MemslotActor.Changes.cs", "case MemslotProtocol.GetBitmap range:", "case MemslotProtocol.GetBitmap range when !BUG:"),
            new Rewrite(Publisher, "slot.Memslot = Sender;", "")),
        new("node-loss-forgotten", "When a node goes, what was asked of it is not asked of the others.",
            Finder.Cluster("progress", 100, NodeDies),
            Pool, """
                _routes = new FetchRoutes(_fetchers.Keys);
                AskAgain();
                """, """
                _routes = new FetchRoutes(_fetchers.Keys);
                if (!BUG) AskAgain();
                """),
        new("link-not-retried", "A connection to a node that broke is not made again.",
            Finder.Cluster("progress", 100, Breaks),
            Links, "link.State != State.Waiting) return null;", "link.State != State.Waiting || BUG) return null;"),
        new("late-node-forgotten", "A node whose answers came too late is asked no more, though its connection holds.",
            Finder.Cluster("progress", 100, FallsSilent),
            "Paging/Sources/SharedPageSource.cs", "if (mayGiveUp) source.Dispose();", ""),
    ];
}
