using Akka.Actor;
using Akka.Configuration;

namespace Userfault.Cluster.Tests;

/// <summary>An actor system of its own on a free loopback port, as a process would start it.</summary>
internal sealed class Node : IDisposable
{
    private static readonly Config Common = ConfigurationFactory.ParseString("""
        akka {
          loglevel = WARNING
          stdout-loglevel = WARNING
          log-dead-letters = off
          actor {
            provider = cluster
            serializers.test = "Userfault.Cluster.Tests.TestSerializer, Userfault.Cluster.Tests"
            serialization-bindings { "Userfault.Cluster.Tests.ITestMessage, Userfault.Cluster.Tests" = test }
          }
          remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
          cluster {
            gossip-interval = 100ms
            leader-actions-interval = 100ms
            unreachable-nodes-reaper-interval = 100ms
            periodic-tasks-initial-delay = 50ms
            seed-node-timeout = 1s
            retry-unsuccessful-join-after = 1s
            failure-detector {
              heartbeat-interval = 100ms
              acceptable-heartbeat-pause = 1s
              expected-response-after = 1s
            }
          }
        }
        """);

    public Node(string config = "")
    {
        System = ActorSystem.Create("test", ConfigurationFactory.ParseString(config).WithFallback(Common));
        Address = ((ExtendedActorSystem)System).Provider.DefaultAddress;
    }

    public ActorSystem System { get; }

    public Address Address { get; }

    public void Dispose()
    {
        System.Terminate().Wait(TimeSpan.FromSeconds(10));
    }

    /// <summary>The path under which other nodes know an actor of this one.</summary>
    public string PathOf(IActorRef actor) => actor.Path.ToStringWithAddress(Address);
}
