using Akka.Cluster;
using Akka.Cluster.Membership;
using Akka.Remote.Wire;

namespace Userfault.Engine.Tests.StandIn.Cluster;

public sealed class GossipTests
{
    public static TheoryData<MemberStatus, MemberStatus, MemberStatus> Merges => new()
    {
        { MemberStatus.Joining, MemberStatus.Up, MemberStatus.Up },
        { MemberStatus.WeaklyUp, MemberStatus.Joining, MemberStatus.WeaklyUp },
        { MemberStatus.Up, MemberStatus.Leaving, MemberStatus.Leaving },
        { MemberStatus.Exiting, MemberStatus.Leaving, MemberStatus.Exiting },
        { MemberStatus.Down, MemberStatus.Exiting, MemberStatus.Down },
        { MemberStatus.Up, MemberStatus.Down, MemberStatus.Down },
    };

    [Theory]
    [MemberData(nameof(Merges))]
    public void Of_two_views_of_a_member_the_one_further_in_its_life_is_true(MemberStatus mine, MemberStatus theirs, MemberStatus expected)
    {
        var left = Gossip.Empty.Put(Views.Member(1, mine)).ChangedBy(Views.Node(2));
        var right = Gossip.Empty.Put(Views.Member(1, theirs)).ChangedBy(Views.Node(3));

        Assert.Equal(expected, left.Merge(right).Find(Views.Node(1))!.Status);
        Assert.Equal(expected, right.Merge(left).Find(Views.Node(1))!.Status);
    }

    [Fact]
    public void A_merge_includes_both_views_and_nobody_has_seen_it()
    {
        var left = Views.Example().ChangedBy(Views.Node(1));
        var right = Views.Example().ChangedBy(Views.Node(2));
        Assert.Equal(ClockOrder.Concurrent, left.CompareTo(right.Version, []));

        var merged = left.Merge(right);

        Assert.Equal(ClockOrder.After, merged.CompareTo(left.Version, []));
        Assert.Equal(ClockOrder.After, merged.CompareTo(right.Version, []));
        Assert.Empty(merged.Seen);
    }

    [Fact]
    public void A_removed_incarnation_does_not_come_back_with_an_old_view_but_the_next_one_may_join()
    {
        var old = Gossip.Empty.Put(Views.Member(1, MemberStatus.Up)).Put(Views.Member(2, MemberStatus.Up)).ChangedBy(Views.Node(2));
        var current = old.Put(Views.Member(2, MemberStatus.Down)).ChangedBy(Views.Node(1)).Remove(Views.Member(2, MemberStatus.Down)).ChangedBy(Views.Node(1));

        var merged = current.Merge(old).Merge(old.ChangedBy(Views.Node(3)));

        Assert.Null(merged.Find(Views.Node(2)));
        Assert.NotNull(merged.Put(new Member(Views.Node(2, uid: 2), 1, MemberStatus.Joining, [])).Merge(old).Find(Views.Node(2, uid: 2)));
    }

    [Fact]
    public void Tombstones_do_not_grow_without_end()
    {
        var gossip = Gossip.Empty;
        for (var i = 0; i < 1000; i++)
            gossip = gossip.Remove(new Member(Views.Node(1, uid: i), 1, MemberStatus.Down, []));

        Assert.Equal(256, gossip.Tombstones.Count);
        Assert.True(gossip.Tombstones.ContainsKey(Views.Node(1, uid: 999)));
        Assert.False(gossip.Tombstones.ContainsKey(Views.Node(1, uid: 743)));
    }

    [Fact]
    public void All_who_are_up_must_have_seen_a_view_and_nobody_may_be_unreachable()
    {
        var gossip = Gossip.Empty.Put(Views.Member(1, MemberStatus.Up)).Put(Views.Member(2, MemberStatus.Up)).Put(Views.Member(3, MemberStatus.Joining));
        Assert.False(gossip.SeenBy(Views.Node(1)).IsConvergence(Views.Node(1)));
        gossip = gossip.SeenBy(Views.Node(1)).SeenBy(Views.Node(2));
        Assert.True(gossip.IsConvergence(Views.Node(1)));

        var missing = gossip with { Reachability = gossip.Reachability.With(Views.Node(2), Views.Node(3), reachable: false) };
        Assert.False(missing.IsConvergence(Views.Node(1)));
        Assert.True(missing.Put(Views.Member(3, MemberStatus.Down)).IsConvergence(Views.Node(1)));
        Assert.True(missing.Put(Views.Member(2, MemberStatus.Down)).IsConvergence(Views.Node(1)));
    }

    [Fact]
    public void The_leader_is_the_first_reachable_member_that_is_up()
    {
        var gossip = Gossip.Empty.Put(Views.Member(1, MemberStatus.Joining)).Put(Views.Member(2, MemberStatus.Up)).Put(Views.Member(3, MemberStatus.Up, 2, "role"));
        Assert.Equal(Views.Node(2), gossip.Leader(Views.Node(3))!.UniqueAddress);
        Assert.Equal(Views.Node(3), gossip.Leader(Views.Node(1), "role")!.UniqueAddress);

        gossip = gossip with { Reachability = gossip.Reachability.With(Views.Node(3), Views.Node(2), reachable: false) };
        Assert.Equal(Views.Node(3), gossip.Leader(Views.Node(3))!.UniqueAddress);
        Assert.Equal(Views.Node(2), gossip.Leader(Views.Node(2))!.UniqueAddress);
    }

    [Fact]
    public void A_view_travels_whole()
    {
        var gossip = Views.Example();
        var bytes = Views.Write(gossip);
        var reader = new WireReader(bytes);

        var read = Akka.Cluster.Wire.GossipCodec.Read(ref reader);

        reader.End();
        Assert.Equal(bytes, Views.Write(read));
        Assert.Equal(gossip.Members, read.Members);
        Assert.Equal(gossip.Members.Select(m => (m.Status, m.UpNumber)), read.Members.Select(m => (m.Status, m.UpNumber)));
        Assert.Equal(["destination", "fetcher"], read.Find(Views.Node(2))!.Roles.Order());
        Assert.Equal(ClockOrder.Same, read.CompareTo(gossip.Version, []));
        Assert.Equal([Views.Node(3)], read.Reachability.AllUnreachable);
        Assert.Equal(gossip.Tombstones, read.Tombstones);
    }

    [Theory]
    [InlineData(1, 2, "2")]
    [InlineData(2, 2, "")]
    [InlineData(3, 2, "")]
    public void Status_only_moves_on(int from, int to, string reached)
    {
        var member = Views.Member(1, (MemberStatus)from);
        if (reached.Length > 0)
            Assert.Equal((MemberStatus)to, member.Copy((MemberStatus)to).Status);
        else if (from != to)
            Assert.Throws<InvalidOperationException>(() => member.Copy((MemberStatus)to));
    }

    [Fact]
    public void Each_member_is_watched_by_the_next_few_reachable_ones()
    {
        var gossip = Gossip.Empty;
        for (var i = 0; i < 10; i++)
            gossip = gossip.Put(Views.Member(i, MemberStatus.Up));

        Assert.Equal([Views.Node(9), Views.Node(0), Views.Node(1)], HeartbeatRing.Watched(gossip, Views.Node(8), 3));
        gossip = gossip with { Reachability = gossip.Reachability.With(Views.Node(8), Views.Node(0), reachable: false) };
        Assert.Equal([Views.Node(9), Views.Node(0), Views.Node(1), Views.Node(2)], HeartbeatRing.Watched(gossip, Views.Node(8), 3));
    }
}
