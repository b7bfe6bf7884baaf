using Akka.Actor;

namespace Userfault.Nodes.Tests;

/// <summary>A node in this process, on a free loopback port.</summary>
internal sealed class TestNode : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NodeSystem _node;

    public TestNode(string role = NodeRoles.Source, SplitBrainRule rule = SplitBrainRule.Off)
    {
        var settings = new NodeSettings { SystemName = "test", Role = role, SplitBrain = rule };
        _node = NodeSystem.Open(settings, TestSettings.With(pause: TimeSpan.FromSeconds(3)));
    }

    public ActorSystem System => _node.System;

    public IMembership Membership => _node.Membership;

    public Address Address => Membership.Self.Address;

    /// <summary>Terminates its actor system, which leaves the cluster in order.</summary>
    public void Dispose() => Assert.True(System.Terminate().Wait(Patience), $"{Address} does not end");
}
