namespace Userfault.Mutants;

/// <summary>What nodes tell each other: replicas of bitmaps, links, who is gone.</summary>
internal static class NodeMutants
{
    private const string Replica = "Nodes/Replicas/BitmapReplica.cs";
    private const string Publisher = "Nodes/Replicas/ClearPublisherActor.cs";
    private const string Links = "Nodes/Links/PageLinksCore.cs";
    private const string Side = "Nodes/Membership/SplitBrainSide.cs";
    private const string Acquaintances = "Nodes/Reunion/Acquaintances.cs";
    private const string Tests = "Nodes.Tests";
    private const string Pool = "Actors/Fetchers/FetcherPoolActor.cs";

    // Where chance takes long: all connections break while the guest runs, a node dies, or the source falls silent for
    // a while.
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
        new(
            "lost-clears-unrepaired",
            "A batch of cleared bits that was lost on its way is not asked for by the replicas that miss it.",
            Finder.Cluster("replica", 100),
            Replica,
            "if (IsRepairing) return false;",
            "if (IsRepairing || BUG) return false;"
        ),
        new(
            "wrong-clear-mask",
            "What is told of cleared bits is one page beside them.",
            Finder.Cluster("replica", 100),
            "Actors/Messages/ClearBatch.cs",
            "1UL << (int)(index % 64)",
            "1UL << (int)((index ^ 1) % 64)"
        ),
        new(
            "stale-replica",
            "A replica that begins late takes what was cleared before for known.",
            Finder.Cluster("replica", 100),
            Replica,
            "var isBehind = _whole < _reported;",
            """
            if (BUG && _reported == 0) _whole = _seen = sequence;
            var isBehind = _whole < _reported;
            """
        ),
        new(
            "former-slot-asked",
            "Of a slot that was deleted and came back, the former one is asked for what replicas have missed.",
            Finder.Cluster("replica", 100),
            new Rewrite(
                "Actors/Memslots/MemslotActor.Changes.cs",
                "case MemslotProtocol.GetBitmap range:",
                "case MemslotProtocol.GetBitmap range when !BUG:"
            ),
            new Rewrite(Publisher, "slot.Memslot = Sender;", "")
        ),
        new(
            "node-loss-forgotten",
            "When a node goes, what was asked of it is not asked of the others.",
            Finder.Cluster("progress", 100, NodeDies),
            Pool,
            """
            _routes = new FetchRoutes(_fetchers.Keys);
            AskAgain();
            """,
            """
            _routes = new FetchRoutes(_fetchers.Keys);
            if (!BUG) AskAgain();
            """
        ),
        new(
            "link-not-retried",
            "A connection to a node that broke is not made again.",
            Finder.Cluster("progress", 100, Breaks),
            Links,
            "link.State != State.Waiting) return null;",
            "link.State != State.Waiting || BUG) return null;"
        ),
        new(
            "late-node-forgotten",
            "A node whose answers came too late is asked no more, though its connection holds.",
            Finder.Cluster("progress", 600, FallsSilent),
            "Pages/Sources/SharedPageSource.cs",
            "if (mayGiveUp) source.Dispose();",
            ""
        ),
        new(
            "gap-unnoticed",
            "A replica takes each batch for the next one.",
            Finder.Cluster("replica", 200),
            Replica,
            "if (_runStart <= _whole) _whole = _seen;",
            "_whole = _seen;"
        ),
        new(
            "repair-counts-last-answer",
            "A repair of several answers counts as new as its last one: the first words may be older.",
            Finder.Test(
                Tests,
                "BitmapReplicaTests.Whatever_is_lost_doubled_or_late_a_replica_converges_and_is_never_ahead"
            ),
            Replica,
            "if (!_hasRepairFrom)",
            "if (BUG || !_hasRepairFrom)"
        ),
        new(
            "lost-batch-counted",
            "Batches that travel as one count as whole, though one between them was lost.",
            Finder.Test(Tests, "BitmapBroadcastTests.Batches_of_an_interval_travel_as_one_and_a_lost_one_shows"),
            Publisher,
            "isWhole ? _batches : 1",
            "_batches"
        ),
        new(
            "fields-swapped",
            "A message's fields are read in another order than they are written.",
            Finder.Test(Tests, "NodeMessageSerializerTests.Every_message_has_these_bytes_and_no_others"),
            "Nodes/Wire/BitmapForms.cs",
            """
            var sequence = reader.ReadUInt64();
            var first = reader.ReadUInt64();
            """,
            """
            var (sequence, first) = (reader.ReadUInt64(), reader.ReadUInt64());
            if (BUG) (sequence, first) = (first, sequence);
            """
        ),
        new(
            "form-changed-in-silence",
            "A form changes, on both sides, and keeps its version.",
            Finder.Test(Tests, "NodeMessageSerializerTests.Every_message_has_these_bytes_and_no_others"),
            new Rewrite(
                "Nodes/Wire/NodeReportForm.cs",
                "writer.Write(report.PagesPresent);\nwriter.Write(report.Pages);",
                """
                writer.Write(BUG ? report.Pages : report.PagesPresent);
                writer.Write(BUG ? report.PagesPresent : report.Pages);
                """
            ),
            new Rewrite(
                "Nodes/Wire/NodeReportForm.cs",
                "return new NodeReport(offers, sent, rate, present, pages)",
                """
                if (BUG) (present, pages) = (pages, present);
                return new NodeReport(offers, sent, rate, present, pages)
                """
            )
        ),
        new(
            "length-believed",
            "A message that says how much it holds is believed.",
            Finder.Test(Tests, "NodeMessageSerializerTests.A_number_beyond_reason_is_refused_before_anything_is_read"),
            "Nodes/Wire/BitmapForms.cs",
            "count <= most ? count",
            "count <= most || BUG ? count"
        ),
        new(
            "members-before-destinations",
            "Of two sides of a split the larger one stays, whichever runs the guests.",
            Finder.Test(
                Tests,
                "SplitBrainSideTests.The_side_with_more_destinations_stays_then_the_bigger_then_the_lower"
            ),
            Side,
            "(side.Count(m => m.IsDestination), side.Count)",
            "(side.Count, side.Count(m => m.IsDestination))"
        ),
        new(
            "leaver-counts",
            "A node that is leaving counts for its side of a split.",
            Finder.Test(
                Tests,
                "SplitBrainSideTests.The_side_with_more_destinations_stays_then_the_bigger_then_the_lower"
            ),
            Side,
            "m.IsReachable == isReachable && !m.IsLeaving",
            "m.IsReachable == isReachable"
        ),
        new(
            "both-clusters-give-way",
            "Of two equal clusters each gives way to the other.",
            Finder.Test(Tests, "AcquaintancesTests.Of_equal_clusters_one_gives_way"),
            Acquaintances,
            "AddressOrder.Instance.Compare(Lowest(there), Lowest(here)) < 0",
            "AddressOrder.Instance.Compare(Lowest(there), Lowest(here)) > 0"
        ),
        new(
            "older-view-joined",
            "A node that hears an older view of its own cluster takes it for another one.",
            Finder.Test(
                Tests,
                "AcquaintancesTests.The_cluster_with_fewer_destinations_gives_way_then_the_smaller_then_the_higher"
            ),
            Acquaintances,
            "there.Count == 0 || there.Exists(m => m.Address.Equals(self))",
            "there.Count == 0"
        ),
        new(
            "leavers-sought",
            "A node that left in order is looked for as if it had been lost.",
            Finder.Test(
                Tests,
                "AcquaintancesTests.Whoever_leaves_in_order_is_forgotten_and_whoever_goes_otherwise_is_asked"
            ),
            Acquaintances,
            "if (gone.State is not (MemberState.Leaving or MemberState.Exiting))",
            "if (BUG || gone.State is not (MemberState.Leaving or MemberState.Exiting))"
        ),
        new(
            "retry-hides-sources",
            "A fetcher that is tried again counts as one that serves: the sources are not asked meanwhile.",
            Finder.Test(
                Tests,
                "PageLinksCoreTests.Where_no_fetcher_can_be_connected_to_the_sources_are_asked_until_one_can"
            ),
            Links,
            "link.IsRetry = true;",
            ""
        ),
        new(
            "demand-not-needed",
            "A fetcher node refuses pages that a guest waits for, since its replica says they are there.",
            Finder.Test(Tests, "NeededSourceTests.Only_background_that_is_there_in_full_is_left_out"),
            "Nodes/Relays/NeededSource.cs",
            "request.Priority == FetchPriority.Background && !AnyMissing",
            "(BUG || request.Priority == FetchPriority.Background) && !AnyMissing"
        ),
    ];
}
