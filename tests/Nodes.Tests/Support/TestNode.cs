using Akka.Actor;

namespace Userfault.Nodes.Tests;

/// <summary>A node on a free loopback port, in this process.</summary>
internal sealed class TestNode : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NodeSystem _node;

    public TestNode(string role = NodeRoles.Source, SplitBrainRule rule = SplitBrainRule.Off) => _node = NodeSystem.Open(
        new NodeSettings { SystemName = "test", Role = role, SplitBrain = rule }, TestSettings.With(pause: TimeSpan.FromSeconds(3)));

    public ActorSystem System => _node.System;

    public IMembership Membership => _node.Membership;

    public Address Address => Membership.Self.Address;

    /// <summary>Ends its system, which leaves the cluster in order.</summary>
    public void Dispose() => Assert.True(System.Terminate().Wait(Patience), $"{Address} does not end");
}
