namespace Userfault.Nodes.Tests.Contract;

/// <content>Publishing and subscribing.</content>
public abstract partial class MembershipContract
{
    [Fact]
    public void What_is_published_comes_to_all_who_had_subscribed_before_in_order()
    {
        const int Count = 500;
        Form("a", "b", "c");
        Cluster.Publish("a", "t", 1, 5);
        foreach (var name in new[] { "a", "b", "c" }) Cluster.Subscribe(name, "t");

        var next = Reach("a", "t", ["a", "b", "c"], from: 100);
        Reach("b", "t", ["a", "b", "c"], from: 100);
        Cluster.Publish("a", "t", next, Count);
        Await(() => new[] { "a", "b", "c" }.All(name => Heard(name, "a", "t").Contains(next + Count - 1)));

        foreach (var name in new[] { "a", "b", "c" })
        {
            // Nothing from before the subscription, and nothing missing after the first message that arrived.
            var heard = Heard(name, "a", "t");
            Assert.True(heard[0] >= 100);
            Assert.Equal(Numbers(heard[0], heard.Count), heard);
            AssertRising(Heard(name, "b", "t"));
        }
    }

    [Fact]
    public void Who_has_unsubscribed_soon_hears_nothing_more()
    {
        Form("a", "b");
        Cluster.Unsubscribe("b", "never subscribed");
        Cluster.Subscribe("b", "t");
        Cluster.Subscribe("b", "u");
        Reach("a", "t", "b");
        Reach("a", "u", "b");

        Cluster.Unsubscribe("b", "t");

        // Messages that were under way still arrive. After a few rounds in which only the other topic was received,
        // none may arrive any more.
        var round = 10_000L;
        Await(() =>
        {
            PublishRound(round++);
            return Heard("b", "a", "u")[^1] > Heard("b", "a", "t")[^1] + 5;
        });
        var last = Heard("b", "a", "t")[^1];
        for (var i = 0; i < 20; i++) PublishRound(round++);
        Await(() => Heard("b", "a", "u")[^1] == round - 1);
        Assert.Equal(last, Heard("b", "a", "t")[^1]);

        void PublishRound(long number)
        {
            Cluster.Publish("a", "t", number);
            Cluster.Publish("a", "u", number);
        }
    }

    [Fact]
    public void Topics_are_told_apart()
    {
        Form("a", "b");
        Cluster.Subscribe("a", "userfault/vm 1/0");
        Cluster.Subscribe("b", "userfault/vm 1/1");

        Reach("a", "userfault/vm 1/0", "a");
        Reach("a", "userfault/vm 1/1", "b");

        Assert.All(Cluster.HeardBy("a"), h => Assert.Equal("userfault/vm 1/0", h.Topic));
        Assert.All(Cluster.HeardBy("b"), h => Assert.Equal("userfault/vm 1/1", h.Topic));
    }

    [Fact]
    public void Who_subscribes_before_its_node_is_a_member_hears_what_is_published_once_it_is()
    {
        Start("a");
        Start("b");
        Cluster.Subscribe("b", "t");
        Cluster.Join("a");
        Cluster.Join("b", "a");

        Reach("a", "t", "b");
    }

    [Fact]
    public void Subscriptions_end_with_their_incarnation()
    {
        Form("a", "b");
        Cluster.Subscribe("b", "t");
        Reach("a", "t", "b");
        Cluster.Kill("b");
        Cluster.Publish("a", "t", 10_000, 20);

        Start("b");
        Cluster.Join("b", "a");
        Cluster.Subscribe("b", "u");
        AwaitAgreement("a", "b");
        var round = 20_000L;
        Await(() =>
        {
            Cluster.Publish("a", "t", round);
            Cluster.Publish("a", "u", round++);
            return Heard("b", "a", "u").Count > 5;
        });

        Assert.Empty(Heard("b", "a", "t"));
    }

    // Publishes ascending numbers until each of these nodes has received one. Returns the next number.
    private long Reach(string from, string topic, string to) => Reach(from, topic, [to]);

    private long Reach(string publisher, string topic, string to, long from) => Reach(publisher, topic, [to], from);

    private long Reach(string publisher, string topic, string[] to, long from = 100)
    {
        var next = from;
        Await(() =>
        {
            Cluster.Publish(publisher, topic, next++);
            return to.All(name => Heard(name, publisher, topic).Exists(n => n >= from));
        });
        return next;
    }
}
