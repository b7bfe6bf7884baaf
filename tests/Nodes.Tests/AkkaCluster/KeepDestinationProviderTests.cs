using Akka.Actor;
using Akka.Cluster.SBR;

namespace Userfault.Nodes.Tests;

/// <summary>Akka.Cluster loads the downing provider that the settings of a node name.</summary>
public sealed class KeepDestinationProviderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(SplitBrainRule.KeepDestination, typeof(KeepDestinationProvider))]
    [InlineData(SplitBrainRule.KeepMajority, typeof(SplitBrainResolverProvider))]
    [InlineData(SplitBrainRule.Off, typeof(Akka.Cluster.NoDowning))]
    public async Task A_nodes_rule_is_the_one_that_Akka_loads(SplitBrainRule rule, Type provider)
    {
        using var node = new TestNode(rule: rule);

        Assert.IsType(provider, Akka.Cluster.Cluster.Get(node.System).DowningProvider);

        // Once a node is up, all actors of the cluster extension are running.
        var follower = new Probe(node.System);
        node.Membership.Follow(follower.Ref);
        node.Membership.Join([]);
        follower.Until<MemberChanged>(c => c.State == MemberState.Up);
        var actor = node.System.ActorSelection("/system/cluster/core/daemon/downingProvider");
        if (rule != SplitBrainRule.Off) await actor.ResolveOne(Patience);
        else await Assert.ThrowsAsync<ActorNotFoundException>(() => actor.ResolveOne(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Its_actor_is_the_resolver_of_the_side_with_more_destinations()
    {
        using var node = new TestNode(rule: SplitBrainRule.KeepDestination);
        var cluster = Akka.Cluster.Cluster.Get(node.System);

        var provider = new KeepDestinationProvider(node.System, cluster);

        Assert.Equal(typeof(SplitBrainActor), provider.DowningActorProps.Type);
        Assert.Equal(TimeSpan.Zero, provider.DownRemovalMargin);
    }
}
