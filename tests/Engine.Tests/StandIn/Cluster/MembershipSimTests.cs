using Akka.Cluster;
using Akka.Cluster.SBR;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>Memberships on a simulated network, over many seeds: whatever happens, the survivors come to agree.</summary>
public sealed class MembershipSimTests
{
    private const int Soon = 60_000;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nodes_that_join_at_the_same_moment_form_one_cluster(int seed)
    {
        var sim = Cluster(seed, 12);

        sim.RunUntil(() => sim.Agree(12), Soon, "agreement");
        Assert.Equal(Enumerable.Range(1, 12), sim[1].Core.Latest.Members.Select(static member => member.UpNumber).Order());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void When_the_leader_dies_another_takes_over_and_removes_it(int seed)
    {
        var sim = Cluster(seed, 5, KeepMajority);
        sim.RunUntil(() => sim.Agree(5), Soon, "agreement");

        sim.Kill(1);

        sim.RunUntil(() => sim.Agree(4), Soon, "agreement of the survivors");
        Assert.Equal(Views.Node(2), sim[3].Core.Latest.Leader(sim[3].Core.Self)!.UniqueAddress);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_partition_that_heals_in_time_costs_nobody(int seed)
    {
        var sim = Cluster(seed, 6, KeepMajority);
        sim.RunUntil(() => sim.Agree(6), Soon, "agreement");

        sim.Cut([1, 2], [3, 4, 5, 6]);
        sim.RunUntil(() => sim.Alive.All(static node => !node.Core.Latest.Judged.AllUnreachable.IsEmpty), Soon, "suspicion");
        sim.Heal();

        sim.RunUntil(() => sim.Agree(6), Soon, "agreement after the partition");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Of_a_partition_that_lasts_only_the_majority_stays(int seed)
    {
        var sim = Cluster(seed, 5, KeepMajority);
        sim.RunUntil(() => sim.Agree(5), Soon, "agreement");

        sim.Cut([1, 2], [3, 4, 5]);

        sim.RunUntil(() => sim.Agree(3), Soon, "agreement of the majority");
        Assert.Equal([3, 4, 5], sim.Alive.Select(static node => node.Number));
        Assert.Equal(MemberStatus.Down, sim[1].Ended);
        Assert.Equal(MemberStatus.Down, sim[2].Ended);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Of_a_partition_in_halves_the_one_with_the_lowest_address_stays(int seed)
    {
        var sim = Cluster(seed, 4, KeepMajority);
        sim.RunUntil(() => sim.Agree(4), Soon, "agreement");

        sim.Cut([1, 4], [2, 3]);

        sim.RunUntil(() => sim.Agree(2), Soon, "agreement of the half");
        Assert.Equal([1, 4], sim.Alive.Select(static node => node.Number));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Without_a_quorum_nobody_stays(int seed)
    {
        var sim = Cluster(seed, 5, static () => new SplitBrainCore(new StaticQuorum(3, ""), TimeSpan.FromSeconds(3), null));
        sim.RunUntil(() => sim.Agree(5), Soon, "agreement");

        sim.Cut([1, 2], [3, 4, 5]);
        sim.Cut([3, 4], [5]);

        sim.RunUntil(() => !sim.Alive.Any(), Soon, "the end of all");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_link_that_comes_and_goes_does_not_split_the_cluster(int seed)
    {
        var sim = Cluster(seed, 5, KeepMajority);
        sim.RunUntil(() => sim.Agree(5), Soon, "agreement");

        for (var i = 0; i < 20; i++)
        {
            sim.Cut([1 + (i % 5)], Enumerable.Range(1, 5).Where(number => number != 1 + (i % 5)));
            sim.RunFor(700);
            sim.Heal();
            sim.RunFor(700);
        }

        sim.RunUntil(() => sim.Agree(5), Soon, "agreement after the flapping");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Two_sides_never_both_stay_whatever_is_cut(int seed)
    {
        var random = new Random(seed);
        var sim = Cluster(seed, 7, KeepMajority);
        sim.RunUntil(() => sim.Agree(7), Soon, "agreement");
        var numbers = Enumerable.Range(1, 7).OrderBy(_ => random.Next()).ToList();
        var at = random.Next(1, 7);

        sim.Cut(numbers.Take(at), numbers.Skip(at));
        sim.RunFor(30_000);

        var sides = new[] { numbers.Take(at), numbers.Skip(at) }.Count(side => side.Any(number => sim[number].IsAlive));
        Assert.True(sides == 1, $"seed {seed}: {sides} sides stay");
        sim.RunUntil(() => sim.Agree(sim.Alive.Count()), Soon, "agreement of the side that stays");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_restarted_node_comes_back_as_another_incarnation(int seed)
    {
        var sim = Cluster(seed, 4);
        sim.RunUntil(() => sim.Agree(4), Soon, "agreement");

        sim.Kill(3);
        sim.Join(3, to: 1, uid: 2);

        sim.RunUntil(() => sim.Agree(4), Soon, "agreement with the new incarnation");
        Assert.NotNull(sim[1].Core.Latest.Find(Views.Node(3, uid: 2)));
        Assert.Null(sim[1].Core.Latest.Find(Views.Node(3)));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void All_may_leave_one_by_one_or_at_once(int seed)
    {
        var sim = Cluster(seed, 6);
        sim.RunUntil(() => sim.Agree(6), Soon, "agreement");

        sim.Do(sim[1], () => sim[1].Core.Leave(sim[1].Core.Self.Address));
        sim.RunUntil(() => sim.Agree(5), Soon, "agreement without the leader");
        for (var i = 2; i <= 4; i++)
            sim.Do(sim[i], () => sim[i].Core.Leave(sim[i].Core.Self.Address));
        sim.RunUntil(() => sim.Agree(2), Soon, "agreement of the last two");

        Assert.All(Enumerable.Range(1, 4), number => Assert.Equal(MemberStatus.Exiting, sim[number].Ended));
    }

    [Fact]
    public void One_seed_replays_everything()
    {
        var traces = Enumerable.Range(0, 3).Select(_ =>
        {
            var sim = Cluster(99, 6, KeepMajority);
            sim.RunUntil(() => sim.Agree(6), Soon, "agreement");
            sim.Kill(1);
            sim.RunFor(20_000);
            return sim.Trace;
        }).ToList();

        Assert.Single(traces.Distinct());
        var other = Cluster(100, 6, KeepMajority);
        other.RunUntil(() => other.Agree(6), Soon, "agreement");
        Assert.NotEqual(traces[0], other.Trace);
    }

    private static SplitBrainCore KeepMajority() => new(new KeepMajority(""), TimeSpan.FromSeconds(3), null);

    private static MembershipSim Cluster(int seed, int count, Func<SplitBrainCore>? resolver = null)
    {
        var sim = new MembershipSim(seed, resolver: resolver);
        for (var i = 1; i <= count; i++)
            sim.Join(i, to: 1);
        return sim;
    }
}
