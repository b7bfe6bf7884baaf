using Userfault.Cli;
using Userfault.Nodes;
using Userfault.Tests;

namespace Userfault.Host.Tests.Cluster;

/// <summary>What akka.hocon, a user's file and the command's own settings make of a node's actor system.</summary>
public sealed class NodeConfigurationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("keep-destination", "Userfault.Nodes.KeepDestinationProvider, Userfault.Nodes")]
    [InlineData("keep-majority", "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster")]
    [InlineData("off", "Akka.Cluster.NoDowning, Akka.Cluster")]
    public async Task The_rule_for_splits_is_a_downing_provider(string rule, string provider)
    {
        var node = Open($"userfault.cluster {{ split-brain = {rule}, stable-after = 7s }}");

        var config = node.System.Settings.Config;
        Assert.Equal(provider, config.GetString("akka.cluster.downing-provider-class"));
        Assert.Equal(TimeSpan.FromSeconds(7), config.GetTimeSpan("akka.cluster.split-brain-resolver.stable-after"));
        Assert.Equal(TimeSpan.FromSeconds(7), config.GetTimeSpan("userfault.cluster.stable-after"));
        await node.Close();
    }

    [Fact]
    public async Task Keep_destination_is_the_rule_where_none_is_named()
    {
        var node = Open("");

        Assert.StartsWith(
            typeof(KeepDestinationProvider).FullName!,
            node.System.Settings.Config.GetString("akka.cluster.downing-provider-class"),
            StringComparison.Ordinal
        );
        await node.Close();
    }

    [Fact]
    public async Task A_users_file_is_laid_over_what_is_set_for_akka()
    {
        var node = Open("akka { cluster.gossip-interval = 3s, remote.retry-gate-closed-for = 4s }");

        var config = node.System.Settings.Config;
        Assert.Equal(TimeSpan.FromSeconds(3), config.GetTimeSpan("akka.cluster.gossip-interval"));
        Assert.Equal(TimeSpan.FromSeconds(4), config.GetTimeSpan("akka.remote.retry-gate-closed-for"));
        // Beside it, what akka.hocon says and what Akka itself does.
        Assert.Equal(TimeSpan.FromMilliseconds(200), config.GetTimeSpan("akka.cluster.leader-actions-interval"));
        Assert.False(config.GetBoolean("akka.coordinated-shutdown.run-by-clr-shutdown-hook"));
        Assert.Equal(TimeSpan.FromDays(5), config.GetTimeSpan("akka.remote.prune-quarantine-marker-after"));
        await node.Close();
    }

    // With passive connections a node that restarts at once under its address is let in by no peer; the real thing is
    // KilledNodeTests, where it depends on the moment.
    [Theory]
    [InlineData("")]
    [InlineData("akka.remote.use-passive-connections = on")]
    public async Task Nodes_send_only_over_connections_that_they_have_opened(string file)
    {
        var node = Open(file);

        Assert.False(node.System.Settings.Config.GetBoolean("akka.remote.use-passive-connections"));
        await node.Close();
    }

    private NodeSystem Open(string text)
    {
        var settings = Settings.Load(_folder.Write("node.hocon", text));
        return NodeSystem.Open(ClusterSetup.Open(settings).NodeSettings(NodeRoles.Fetcher, port: 0), settings.Config);
    }
}
