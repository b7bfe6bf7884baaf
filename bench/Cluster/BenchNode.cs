using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;

namespace Userfault.Bench.Cluster;

/// <summary>Nodes of the benchmarks: this process, or children that run the same program.</summary>
internal static class BenchNode
{
    private const string Settings = """
        akka {
          loglevel = WARNING
          stdout-loglevel = OFF
          log-dead-letters = off
          actor {
            provider = cluster
            serializers.bench = "Userfault.Bench.Cluster.BenchSerializer, Userfault.Bench"
            serialization-bindings { "Userfault.Bench.Cluster.BenchPing, Userfault.Bench" = bench }
          }
          coordinated-shutdown.run-by-actor-system-terminate = off
          remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
          cluster {
            gossip-interval = 200ms
            leader-actions-interval = 200ms
            unreachable-nodes-reaper-interval = 200ms
            periodic-tasks-initial-delay = 100ms
            seed-node-timeout = 1s
            failure-detector { heartbeat-interval = 500ms, acceptable-heartbeat-pause = 2s, expected-response-after = 1s }
          }
        }
        """;

    public static ActorSystem Start(string more = "")
        => ActorSystem.Create("bench", ConfigurationFactory.ParseString(more).WithFallback(ConfigurationFactory.ParseString(Settings)));

    public static Process StartChild(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        // As the command starts its nodes.
        start.Environment["DOTNET_TC_QuickJit"] = "1";
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(BenchNode).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
