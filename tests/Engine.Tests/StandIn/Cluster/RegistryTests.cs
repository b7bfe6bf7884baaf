using Akka.Cluster.Tools.PublishSubscribe;

namespace Userfault.Engine.Tests.StandIn.Cluster;

public sealed class RegistryTests
{
    private readonly Registry _one = new(Views.Node(1));
    private readonly Registry _two = new(Views.Node(2));

    public RegistryTests()
    {
        _one.AddNode(Views.Node(2));
        _two.AddNode(Views.Node(1));
    }

    [Fact]
    public void What_is_lacking_is_told_and_nothing_twice()
    {
        _one.Set("t/a", 1);
        _one.Set("t/b", 2);
        Tell(_one, _two, 100);

        Assert.Equal([(Views.Node(1), 2)], _two.Find("t/b"));
        Assert.Empty(_one.Lacking(_two.Versions, 100));
        _one.Set("t/a", 0);
        var lacking = Assert.Single(_one.Lacking(_two.Versions, 100));
        Assert.Equal(new Registry.Entry("t/a", 3, 0), Assert.Single(lacking.Entries));
        Tell(_one, _two, 100);
        Assert.Empty(_two.Find("t/a"));
    }

    [Fact]
    public void Many_changes_come_in_pieces_that_lose_nothing()
    {
        for (var i = 0; i < 100; i++)
            _one.Set($"t/{i % 30}", i);
        var rounds = 0;
        while (_two.IsBehind(_one.Versions))
        {
            Tell(_one, _two, 7);
            rounds++;
        }

        Assert.Equal(5, rounds);
        for (var i = 0; i < 30; i++)
            Assert.Equal(_one.Find($"t/{i}"), _two.Find($"t/{i}"));
    }

    [Fact]
    public void Buckets_of_strangers_are_not_kept()
    {
        var stranger = new Registry(Views.Node(3));
        stranger.Set("t/a", 1);

        Tell(stranger, _one, 100);

        Assert.Empty(_one.Find("t/a"));
        _one.AddNode(Views.Node(3));
        Tell(stranger, _one, 100);
        Assert.Single(_one.Find("t/a"));
        _one.RemoveNode(Views.Node(3));
        Assert.Empty(_one.Find("t/a"));
    }

    [Fact]
    public void Nobody_else_writes_the_own_bucket()
    {
        _one.Set("t/a", 1);

        _one.Apply(new Registry.Delta(Views.Node(1), 99, [new Registry.Entry("t/a", 99, 0)]));

        Assert.Single(_one.Find("t/a"));
    }

    private static void Tell(Registry from, Registry to, int atMost)
    {
        foreach (var delta in from.Lacking(to.Versions, atMost))
            to.Apply(delta);
    }
}
