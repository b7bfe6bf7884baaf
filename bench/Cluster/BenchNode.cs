using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using Userfault.Nodes;

namespace Userfault.Bench.Cluster;

/// <summary>Nodes of the benchmarks: this process, or children that run the same program.</summary>
internal static class BenchNode
{
    // Remoting alone, with a message of the benchmark's own.
    private const string Settings = """
        akka {
          loglevel = WARNING
          stdout-loglevel = OFF
          log-dead-letters = off
          actor {
            provider = remote
            serializers.bench = "Userfault.Bench.Cluster.BenchSerializer, Userfault.Bench"
            serialization-bindings { "Userfault.Bench.Cluster.BenchPing, Userfault.Bench" = bench }
          }
          remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
        }
        """;

    /// <summary>An actor system that others reach.</summary>
    public static ActorSystem Start() => ActorSystem.Create("bench", ConfigurationFactory.ParseString(Settings));

    /// <summary>A node of a cluster with the command's own settings.</summary>
    /// <param name="port">Its TCP port; 0 is any free one.</param>
    public static NodeSystem Open(int port = 0) => NodeSystem.Open(
        new NodeSettings { SystemName = "bench", Role = NodeRoles.Fetcher, Port = port },
        ConfigurationFactory.ParseString(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "akka.hocon"))));

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
