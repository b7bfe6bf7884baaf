using Userfault.Actors;
using Userfault.Pages;
using Userfault.Simulation.Cluster;

namespace Userfault.Simulation.Tests;

internal static partial class Scenarios
{
    static partial void AddClusters(Dictionary<string, Func<ulong, ulong>> all)
    {
        all.Add("cluster", Cluster);
        all.Add("swarm-nodes", static seed => Swarm(seed, isClustered: true));
    }

    private static ulong Cluster(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = new SimCluster(
            world,
            new SimClusterSettings
            {
                Network = new SimNetworkSettings
                {
                    Loss = 0.01,
                    Break = 0.001,
                    Latency = SimLatency.LongTailed(100_000),
                    BitsPerSecond = 1_000_000_000,
                },
            }
        );
        var image = new TagImage(2048, seed, zeroShare: 0.2);
        for (var i = 0; i < 2; i++)
        {
            cluster.AddSource(
                $"source-{i}",
                image,
                new SimServerSettings { Latency = SimLatency.Uniform(5_000, 30_000) }
            );
        }

        for (var i = 0; i < 2; i++)
            cluster.AddFetcher($"fetch-{i}");
        cluster.AddDestination(
            "destination",
            new SimVmSettings
            {
                Image = image,
                Migration = new MigrationSettings { Mode = FaultMode.Userfault, ProgressNs = 0 },
                Workload = new PatternWorkload(
                    new PatternSettings(PatternKind.Random, 8, image.Pages)
                    {
                        AccessesPerVcpu = 200,
                        Overlapping = true,
                        Seed = seed,
                    }
                ),
            },
            out var vm
        );
        world.RunFor(TimeSpan.FromSeconds(5));
        vm.Start();
        world.RunFor(TimeSpan.FromMilliseconds(3));
        cluster.Kill(cluster["fetch-0"], silently: seed % 2 == 0);
        cluster.Isolate(cluster["source-0"], cluster["fetch-1"]);
        world.RunFor(TimeSpan.FromSeconds(4));
        cluster.Heal();
        cluster.Restart(cluster["fetch-0"]);
        world.RunFor(TimeSpan.FromSeconds(5));
        return world.Hash;
    }
}
