using System.CommandLine;
using Akka.Actor;

namespace Userfault.Cli;

/// <summary><c>userfault migrate</c>: one process, a VM's post-copy migration from start to verified end.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var command = new Command(
            "migrate",
            "Migrate a guest's memory by post-copy, in this process or from the nodes of a cluster. Without options: the sample trace."
        );
        var options = new MigrateOptions();
        options.AddTo(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, result, cancelled)));
        return command;
    }

    private static IReadOnlyList<Akka.Actor.Address> NodesOf(MigrateOptions options, string cluster)
    {
        var nodes = ClusterSetup.Nodes(options.Cluster.Name, cluster);
        return nodes.Count > 0
            ? nodes
            : throw Units.Bad(options.Cluster.Name, cluster, "the address of a node, such as 127.0.0.1:7001");
    }

    private static async Task<int> Run(MigrateOptions options, ParseResult result, CancellationToken cancelled)
    {
        var settings = options.LoadSettings(result);
        switch (settings.OneOf<Backend>("backend"))
        {
            case Backend.Kvm:
                KvmMigration.Check(options, result);
                return result.GetValue(options.Cluster) is { } joined
                    ? await KvmClusterMigration.Run(options, result, settings, NodesOf(options, joined), cancelled)
                    : await KvmMigration.Run(options, result, settings, cancelled);
            case Backend.Userfaultfd:
                return await UffdMigration.Run(options, result, settings, cancelled);
        }

        if (result.GetValue(options.Cluster) is { } cluster)
        {
            var nodes = NodesOf(options, cluster);
            return await ClusterMigration.Run(
                options,
                result,
                options.Cluster.Name,
                () => Task.FromResult(nodes),
                cancelled
            );
        }

        var migration = MigrateOptions.ToMigration(settings);
        var link = MigrateOptions.LinkOf(settings);
        var outputs = Outputs.Of(options, result);
        using var inputs = RunInputs.Open(options, result, settings);

        var view = ProgressView.Create(outputs.JsonIsStandardOutput);
        view.Begin(inputs, migration, $"{migration.Fetchers} fetcher(s), latency {Units.Duration(link.LatencyNs)}");
        await using var run = new MigrationRun(
            ActorSystem.Create("userfault", settings.Config),
            inputs,
            migration,
            link.IsInstant ? 0 : 1,
            outputs.RecordsWorkingSet
        );
        run.AddLocalFetchers(
            inputs.Image,
            migration.Fetchers,
            link,
            settings.Count("source.remembered-contents", 0, 1 << 24)
        );
        var report = await run.Run(view.Show, cancelled);
        view.End();

        ReportTable.Write(report, view.Output);
        outputs.Write(report);
        return ExitCodes.Of(report, cancelled);
    }
}
