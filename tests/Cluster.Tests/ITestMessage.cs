using Akka.Actor;

namespace Userfault.Cluster.Tests;

/// <summary>What travels between nodes in these tests.</summary>
public interface ITestMessage;

public sealed record Ping(int Number) : ITestMessage;

public sealed record Introduce(IActorRef Actor) : ITestMessage;

public sealed record Blob(byte[] Bytes) : ITestMessage;
