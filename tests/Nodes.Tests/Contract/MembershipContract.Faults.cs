namespace Userfault.Nodes.Tests.Contract;

/// <content>Nodes that are killed, restarted, suspended or downed.</content>
public abstract partial class MembershipContract
{
    private const string NoFreeze = "processes cannot be suspended and resumed here";

    [Fact]
    public void A_killed_node_becomes_unreachable_and_is_a_member_until_another_downs_it()
    {
        Form("a", "b", "c");
        var killed = Cluster.IdOf("c");

        Cluster.Kill("c");
        Await(() => IsUnreachable("a", killed) && IsUnreachable("b", killed));
        Assert.Equal(MemberState.Up, View("a").Members[killed].State);
        Cluster.Down("a", killed.Address);

        AwaitAgreement("a", "b");
        Assert.Equal(MemberState.Removed, StatesOf(killed, "b")[^1]);
    }

    [Fact]
    public void A_killed_node_is_downed_by_the_rule_for_clusters_that_fell_apart()
    {
        _cluster = Open(SplitBrainRule.KeepDestination);
        Form("a", "b", "c");
        var killed = Cluster.IdOf("a");

        Cluster.Kill("a");

        AwaitAgreement("b", "c");
        Assert.Equal([MemberState.Down, MemberState.Removed], StatesOf(killed, "b").TakeLast(2));
        Assert.False(View("b").HasEnded || View("c").HasEnded);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_node_that_is_started_again_is_let_in_once_its_former_incarnation_is_out(bool isMissed)
    {
        Form("a", "b", "c");
        var former = Cluster.IdOf("b");
        Cluster.Kill("b");
        if (isMissed) Await(() => IsUnreachable("a", former) && IsUnreachable("c", former));

        var next = Start("b");
        Cluster.Join("b", "a");

        AwaitAgreement("a", "b", "c");
        Assert.Equal(former.Address, next.Address);
        Assert.NotEqual(former, next);
        // A view fails on two incarnations at once, so the former one was announced as removed before this one
        // appeared.
        foreach (var name in new[] { "a", "c" }) Assert.Equal(MemberState.Removed, StatesOf(former, name)[^1]);
        Assert.Empty(StatesOf(former, "b"));
    }

    [Fact]
    public void A_node_can_leave_while_another_is_silent()
    {
        Form("a", "b", "c");
        Cluster.Kill("c");

        // No leader can act, since the killed node does not confirm anything.
        Cluster.Leave("b");

        Await(() => View("b").HasEnded);
        Assert.False(View("a").HasEnded);
    }

    [SkippableFact]
    public void A_node_that_stands_still_becomes_unreachable_and_then_reachable_again_as_the_same_incarnation()
    {
        Skip.IfNot(Cluster.CanFreeze, NoFreeze);
        Form("a", "b", "c");
        var frozen = Cluster.IdOf("c");

        Cluster.Freeze("c");
        Await(() => IsUnreachable("a", frozen) && IsUnreachable("b", frozen));
        Cluster.Follow("a", "late");
        Await(() => IsSameView("a", "late"));
        Cluster.Thaw("c");

        AwaitAgreement("a", "b", "c");
        Assert.Equal(frozen, Cluster.IdOf("c"));
        foreach (var name in new[] { "a", "b", "c" })
            Assert.DoesNotContain(StatesOf(frozen, name), s => s is MemberState.Down or MemberState.Removed);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("c")]
    public void A_live_node_that_is_downed_is_no_member_any_more(string by)
    {
        Form("a", "b", "c");

        Cluster.Down(by, Cluster.IdOf("c").Address);

        Await(() => View("c").HasEnded);
        AwaitAgreement("a", "b");
    }

    [Fact]
    public void Who_downs_an_address_that_no_member_has_does_nothing()
    {
        Form("a", "b");
        var other = Cluster.IdOf("b");

        Cluster.Down("a", ContractNodes.NobodyBeside(other));
        Cluster.Leave("b");

        AwaitAgreement("a");
        Assert.DoesNotContain(MemberState.Down, StatesOf(other, "a"));
    }
}
