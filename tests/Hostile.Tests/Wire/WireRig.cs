using Akka.Actor;
using Akka.Configuration;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>A node for tests of its serializers.</summary>
public sealed class WireRig : IAsyncLifetime
{
    internal NodeSystem Node { get; } = NodeSystem.Open(
        new NodeSettings { SystemName = "wire", Role = NodeRoles.Source },
        ConfigurationFactory.ParseString(LogLines.Config("WARNING")));

    internal ExtendedActorSystem System => (ExtendedActorSystem)Node.System;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => System.Terminate();
}
