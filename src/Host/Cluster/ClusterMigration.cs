using System.CommandLine;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>A migration whose pages come from the nodes of a cluster.</summary>
internal static class ClusterMigration
{
    /// <summary>Joins, migrates, reports, leaves.</summary>
    /// <param name="options">The command's options.</param>
    /// <param name="result">What was given of them.</param>
    /// <param name="option">The option that named the nodes, for messages.</param>
    /// <param name="nodes">Nodes to join at; asked for once nothing is wrong with what was given.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <param name="port">TCP port of the cluster; 0 is any free one.</param>
    /// <param name="waits">Is a cluster without the image waited for, however long it takes?</param>
    /// <param name="adopts">Without an image of its own: is it the one that the cluster has?</param>
    public static async Task<int> Run(
        MigrateOptions options, ParseResult result, string option, Func<Task<IReadOnlyList<Address>>> nodes,
        CancellationToken cancelled, int port = 0, bool waits = false, bool adopts = true)
    {
        Check(options, result);
        var settings = options.LoadSettings(result);
        var setup = ClusterSetup.Open(settings);
        var migration = MigrateOptions.ToMigration(settings);
        var outputs = Outputs.Of(options, result);
        adopts &= result.GetValue(options.Image) is null && result.GetValue(options.Synthetic) is null;
        return await new ClusterRun(setup, option, waits).Run(
            nodes, port, adopts, image => RunInputs.Open(options, result, settings, adopted: image),
            (system, feed, inputs, ends) => Run(outputs, setup, option, system, feed, inputs, migration, waits, ends), cancelled);
    }

    private static async Task<int> Run(
        Outputs outputs, ClusterSetup setup, string option, ActorSystem system, ClusterFeed feed, RunInputs inputs,
        MigrationSettings migration, bool waits, CancellationToken cancelled)
    {
        var clears = feed.Publish(new PublishedBitmaps(inputs.Image.Identity));
        // Who receives pages, and who sends them: the source may be on this machine.
        await using var run = new MigrationRun(system, inputs, migration, otherThreads: 2, outputs.RecordsWorkingSet, clears);
        await feed.Connect(option, run.Pool, inputs.Image, inputs.Content.Memory, waits, cancelled);
        using var endpoint = MetricsEndpoint.Open(setup);
        if (endpoint is not null) await Console.Error.WriteLineAsync($"metrics at {endpoint.Address}");
        return await ClusterRun.Report(feed, inputs, migration, outputs, (null, Backend.Model), run.Run, cancelled);
    }

    // What says how the path to the source is modelled has no meaning where there is a real one.
    internal static void Check(MigrateOptions options, ParseResult result)
    {
        foreach (var option in new[] { options.Fetchers, options.Latency, options.Jitter, options.Bandwidth })
        {
            if (result.GetValue(option) is not null)
                throw new CliException($"{option.Name}: belongs to a migration inside one process; a cluster's own nodes and network decide it");
        }
    }
}
