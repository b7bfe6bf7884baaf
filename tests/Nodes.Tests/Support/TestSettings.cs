using Akka.Configuration;

namespace Userfault.Nodes.Tests;

/// <summary>The configuration of nodes in tests: that of the command, with shorter intervals.</summary>
internal static class TestSettings
{
    private static readonly Config Command =
        ConfigurationFactory.ParseString(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "akka.hocon")));

    private static readonly Config Quick = ConfigurationFactory.ParseString("""
        akka {
          loggers = ["Akka.Event.DefaultLogger"]
          loglevel = OFF
          cluster {
            periodic-tasks-initial-delay = 20ms
            gossip-interval = 100ms
            leader-actions-interval = 100ms
            unreachable-nodes-reaper-interval = 100ms
            seed-node-timeout = 1s
            retry-unsuccessful-join-after = 1s
            pub-sub.gossip-interval = 100ms
          }
          remote.retry-gate-closed-for = 500ms
          coordinated-shutdown.phases {
            cluster-leave.timeout = 2s
            cluster-exiting.timeout = 4s
          }
        }
        """);

    /// <summary>The configuration with a given patience of the failure detector.</summary>
    /// <param name="pause">How long a member may be silent before it becomes unreachable.</param>
    public static Config With(TimeSpan pause) => ConfigurationFactory.ParseString($$"""
        akka.cluster.failure-detector {
          heartbeat-interval = 200ms
          acceptable-heartbeat-pause = {{(long)pause.TotalMilliseconds}}ms
          expected-response-after = 500ms
        }
        """).WithFallback(Quick).WithFallback(Command);
}
