using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit.Abstractions;

namespace Userfault.Nodes.Tests;

/// <summary>Members are downed once nothing has changed for long enough. In virtual time.</summary>
public sealed class SplitBrainActorTests : TestKit
{
    private const string Config = """
        akka.loglevel = OFF
        akka.scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit"
        """;

    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    // The membership of node 0.
    private readonly FakeMembership _membership = new(AddressOf(0));

    public SplitBrainActorTests(ITestOutputHelper output)
        : base(Config, output: output)
    {
        // The actor runs on the calling thread, so its reactions are complete when Say or Pass returns.
        Sys.ActorOf(SplitBrainActor.Props(_membership, StableAfter).WithDispatcher(CallingThreadDispatcher.Id));
        AwaitCondition(() => _membership.HasFollower);
    }

    [Fact]
    public void Nobody_is_downed_while_all_are_reachable()
    {
        Join(0, 1, 2);
        Pass(StableAfter * 5);
        Assert.Empty(_membership.Downed);
    }

    [Fact]
    public void Who_is_out_of_reach_is_downed_when_nothing_has_changed_for_as_long_as_was_set()
    {
        Join(0, 1, 2);
        Lose(2);

        Pass(StableAfter - Moment);
        Assert.Empty(_membership.Downed);
        Pass(Moment);
        Assert.Equal([AddressOf(2)], _membership.Downed);
    }

    [Fact]
    public void Every_change_begins_the_wait_anew()
    {
        Join(0, 1, 2);
        Lose(2);
        Pass(StableAfter - Moment);
        Change(1, MemberState.Leaving);
        Pass(StableAfter - Moment);
        Lose(1);
        Pass(StableAfter - Moment);
        Find(1);
        Pass(StableAfter - Moment);
        Assert.Empty(_membership.Downed);

        Pass(Moment);
        Assert.Equal([AddressOf(2)], _membership.Downed);
    }

    [Fact]
    public void A_member_that_goes_does_not_prolong_the_wait()
    {
        Join(0, 1, 2, 3, 4);
        Lose(2, 3, 4);
        Pass(StableAfter - Moment);
        Change(1, MemberState.Down);
        Change(1, MemberState.Removed);
        Assert.Empty(_membership.Downed);
        Pass(Moment);
        Assert.Equal([AddressOf(0)], _membership.Downed);
    }

    [Fact]
    public void Who_is_found_again_in_time_is_not_downed()
    {
        Join(0, 1, 2);
        Lose(1, 2);
        Pass(StableAfter - Moment);
        Find(1, 2);
        Pass(StableAfter * 5);
        Assert.Empty(_membership.Downed);
    }

    [Fact]
    public void The_side_that_does_not_stay_downs_itself()
    {
        Join(0, 1, 2);
        Lose(1, 2);
        Pass(StableAfter);
        Assert.Equal([AddressOf(0)], _membership.Downed);
    }

    [Fact]
    public void The_side_with_the_destination_stays_however_small()
    {
        Change(0, MemberState.Up, NodeRoles.Destination);
        Join(1, 2);
        Lose(1, 2);
        Pass(StableAfter);
        Assert.Equal([AddressOf(1), AddressOf(2)], _membership.Downed);
    }

    [Fact]
    public void Who_leaves_counts_for_neither_side()
    {
        Join(0, 1);
        Change(2, MemberState.Up, NodeRoles.Destination);
        Change(2, MemberState.Leaving, NodeRoles.Destination);
        Lose(2);
        Pass(StableAfter);
        Assert.Equal([AddressOf(2)], _membership.Downed);
    }

    [Fact]
    public void Who_is_downed_already_is_not_downed_again_and_its_side_is_the_smaller_without_it()
    {
        Join(0, 1, 2);
        Lose(1, 2);
        // Another node has decided already.
        Change(1, MemberState.Down);
        Change(2, MemberState.Down);
        Pass(StableAfter * 2);
        Assert.Empty(_membership.Downed);
    }

    [Fact]
    public void What_was_decided_is_said_again_until_it_is_so()
    {
        Join(0, 1, 2);
        Lose(2);
        Pass(StableAfter);
        Pass(StableAfter);
        Assert.Equal([AddressOf(2), AddressOf(2)], _membership.Downed);

        Change(2, MemberState.Down);
        Change(2, MemberState.Removed);
        Pass(StableAfter * 5);
        Assert.Equal(2, _membership.Downed.Count);
    }

    [Fact]
    public void A_change_of_state_does_not_make_a_lost_member_reachable()
    {
        Join(0, 1, 2);
        Lose(2);
        Change(2, MemberState.Exiting);
        Pass(StableAfter);
        Assert.Equal([AddressOf(2)], _membership.Downed);
    }

    [Fact]
    public void The_next_incarnation_is_another_member()
    {
        Join(0, 1, 2);
        Lose(2);
        Change(2, MemberState.Removed);
        _membership.Say(new MemberChanged(new NodeId(AddressOf(2), 77), [NodeRoles.Source], MemberState.Joining));
        // A late event about the previous incarnation.
        Lose(2);
        Pass(StableAfter * 2);
        Assert.Empty(_membership.Downed);
    }

    [Fact]
    public void Nothing_is_decided_once_the_membership_is_over()
    {
        Join(0, 1, 2);
        Lose(1, 2);
        Pass(StableAfter - Moment);
        _membership.Say(MembershipEnded.Instance);
        Pass(StableAfter * 5);
        Assert.Empty(_membership.Downed);
    }

    private static Address AddressOf(int node) => new("akka.tcp", "test", "127.0.0.1", 1000 + node);

    private static NodeId IdOf(int node) => new(AddressOf(node), 1);

    private void Join(params int[] nodes)
    {
        foreach (var node in nodes) Change(node, MemberState.Up);
    }

    private void Change(int node, MemberState state, string role = NodeRoles.Source) =>
        _membership.Say(new MemberChanged(IdOf(node), [role], state));

    private void Lose(params int[] nodes) => Reach(nodes, isReachable: false);

    private void Find(params int[] nodes) => Reach(nodes, isReachable: true);

    private void Reach(int[] nodes, bool isReachable)
    {
        foreach (var node in nodes) _membership.Say(new ReachabilityChanged(IdOf(node), isReachable));
    }

    private void Pass(TimeSpan time) => ((TestScheduler)Sys.Scheduler).Advance(time);
}
