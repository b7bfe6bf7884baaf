namespace Userfault.Nodes.Tests.Contract;

/// <content>Messages from node to node.</content>
public abstract partial class MembershipContract
{
    [Fact]
    public void Nodes_that_are_no_members_tell_each_other_too()
    {
        var (a, b) = (Start("a"), Start("b"));

        Cluster.Tell("a", b.Address, 1);
        Await(() => Cluster.HeardBy("b").Count > 0);
        Cluster.Tell("b", a.Address, 2);
        Await(() => Cluster.HeardBy("a").Count > 0);

        Assert.Equal([new HeardMessage("a", null, 1, a.Address)], Cluster.HeardBy("b"));
        Assert.Equal([new HeardMessage("b", null, 2, b.Address)], Cluster.HeardBy("a"));
    }

    [Fact]
    public void A_message_has_its_senders_address_and_the_sender_can_be_answered()
    {
        Form("a", "b");
        var (a, b) = (Cluster.IdOf("a").Address, Cluster.IdOf("b").Address);

        Cluster.Tell("a", b, -7);
        Await(() => Cluster.HeardBy("a").Count > 0);

        Assert.Equal([new HeardMessage("a", null, -7, a)], Cluster.HeardBy("b"));
        Assert.Equal([new HeardMessage("b", null, 7, b)], Cluster.HeardBy("a"));
    }

    [Fact]
    public void A_node_tells_itself_too()
    {
        var self = Start("a");

        Cluster.Tell("a", self.Address, -7);
        Await(() => Cluster.HeardBy("a").Count == 2);

        var question = new HeardMessage("a", null, -7, null);
        Assert.Equal([question, question with { Number = 7 }], Cluster.HeardBy("a"));
    }

    [Fact]
    public void Messages_of_a_pair_keep_their_order_both_ways_and_their_answers_too()
    {
        const int Count = 3000;
        Form("a", "b", "c");
        var (a, b) = (Cluster.IdOf("a").Address, Cluster.IdOf("b").Address);

        Cluster.Tell("a", b, -Count, Count);
        Cluster.Tell("b", a, 10_000, Count);
        Cluster.Tell("c", b, 20_000, Count);
        Await(() => Cluster.HeardBy("a").Count == 2 * Count && Cluster.HeardBy("b").Count == 2 * Count);

        Assert.Equal(Numbers(-Count, Count), Heard("b", "a"));
        Assert.Equal(Numbers(20_000, Count), Heard("b", "c"));
        Assert.Equal(
            Numbers(10_000, Count).Concat(Numbers(1, Count).Reverse()).Order(), Heard("a", "b").Order());
        Assert.Equal(Numbers(10_000, Count), Heard("a", "b").Where(n => n >= 10_000));
        Assert.Equal(Numbers(1, Count).Reverse(), Heard("a", "b").Where(n => n < 10_000));
    }

    [Fact]
    public void A_message_to_a_node_that_is_gone_is_lost_without_a_word()
    {
        Form("a", "b", "c");
        var (b, c) = (Cluster.IdOf("b").Address, Cluster.IdOf("c"));
        Cluster.Leave("b");
        Await(() => View("b").HasEnded);
        Cluster.Kill("c");
        var heard = Cluster.HeardBy("b").Count;

        Cluster.Tell("a", ContractNodes.NobodyBeside(c), 1, 20);
        Cluster.Tell("a", b, 1, 20);
        Cluster.Tell("a", c.Address, 1, 20);
        Await(() => IsUnreachable("a", c));
        Cluster.Tell("a", c.Address, 21, 20);
        Cluster.Tell("a", Cluster.IdOf("a").Address, 1);

        Await(() => Cluster.HeardBy("a").Count == 1);
        Assert.Equal(heard, Cluster.HeardBy("b").Count);
    }

    [Fact]
    public void The_next_incarnation_hears_what_it_is_told_and_nothing_twice()
    {
        Form("a", "b");
        var former = Cluster.IdOf("b");
        Cluster.Tell("a", former.Address, 1, 20);
        Await(() => Cluster.HeardBy("b").Count == 20);
        Cluster.Kill("b");
        Cluster.Tell("a", former.Address, 21, 20);

        Start("b");
        Cluster.Join("b", "a");
        AwaitAgreement("a", "b");
        var next = 41;
        Await(() =>
        {
            Cluster.Tell("a", former.Address, next++);
            return Heard("b", "a").Exists(n => n > 40);
        });

        AssertRising(Heard("b", "a"));
        Assert.DoesNotContain(Heard("b", "a"), n => n <= 20);
    }

    [Fact]
    public void A_node_whose_membership_is_over_may_be_asked_for_anything_and_does_nothing()
    {
        Form("a", "b");
        var (a, b) = (Cluster.IdOf("a").Address, Cluster.IdOf("b").Address);
        Cluster.Leave("b");
        Await(() => View("b").HasEnded);
        AwaitAgreement("a");

        Cluster.Tell("b", a, 1);
        Cluster.Tell("b", b, 1);
        Cluster.Subscribe("b", "t");
        Cluster.Publish("b", "t", 1);
        Cluster.Unsubscribe("b", "t");
        Cluster.Down("b", a);
        Cluster.Leave("b");
        Cluster.Join("b", "a");

        // None of this has an effect on the other node.
        Cluster.Tell("a", a, -1);
        Await(() => Cluster.HeardBy("a").Any(h => h.Number == 1 && h.From == "a"));
        AwaitAgreement("a");
    }

    [SkippableFact]
    public void What_a_node_that_stands_still_was_told_comes_afterwards_or_never_but_not_twice()
    {
        Skip.IfNot(Cluster.CanFreeze, NoFreeze);
        Form("a", "b");
        var frozen = Cluster.IdOf("b");
        Cluster.Subscribe("b", "t");
        var next = Reach("a", "t", "b");
        Cluster.Tell("a", frozen.Address, 1);
        Await(() => Heard("b", "a").Count > 0);

        Cluster.Freeze("b");
        Cluster.Tell("a", frozen.Address, 2, 50);
        Cluster.Publish("a", "t", next, 50);
        Await(() => IsUnreachable("a", frozen));
        Cluster.Tell("a", frozen.Address, 52, 50);
        Cluster.Publish("a", "t", next + 50, 50);
        Cluster.Thaw("b");
        AwaitAgreement("a", "b");

        var told = 102L;
        Await(() =>
        {
            Cluster.Tell("a", frozen.Address, told++);
            return Heard("b", "a")[^1] >= 102;
        });
        Reach("a", "t", "b", from: next + 100);
        AssertRising(Heard("b", "a"));
        AssertRising(Heard("b", "a", "t"));
    }

    private static IEnumerable<long> Numbers(long first, int count) =>
        Enumerable.Range(0, count).Select(i => first + i);

    private static void AssertRising(List<long> numbers) =>
        Assert.True(numbers.Zip(numbers.Skip(1)).All(pair => pair.First < pair.Second), string.Join(' ', numbers));

    // The numbers that a node has received from another one, directly or on a topic.
    private List<long> Heard(string at, string from, string? topic = null) =>
        [.. Cluster.HeardBy(at).Where(h => h.From == from && h.Topic == topic).Select(h => h.Number)];
}
