using System.CommandLine;
using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>A migration to real vCPUs of this machine whose pages come from the nodes of a cluster.</summary>
internal static class KvmClusterMigration
{
    /// <summary>Joins, migrates, reports, leaves.</summary>
    /// <param name="options">The command's options.</param>
    /// <param name="result">What was given of them.</param>
    /// <param name="settings">The run's settings.</param>
    /// <param name="nodes">Nodes to join at.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    public static async Task<int> Run(
        MigrateOptions options, ParseResult result, Settings settings, IReadOnlyList<Address> nodes, CancellationToken cancelled)
    {
        ClusterMigration.Check(options, result);
        var host = new KernelKvmHost();
        var vm = KvmSetup.Of(settings).On(host);
        var migration = KvmMigration.ToMigration(settings, vm.Mode);
        var setup = new ClusterSetup(settings);
        var option = options.Cluster.Name;
        var adopts = result.GetValue(options.Image) is null && result.GetValue(options.Synthetic) is null;
        var inputs = adopts ? null : KvmMigration.Open(options, result, settings, vm.Mode);
        ActorSystem? system = null;
        try
        {
            system = ClusterMember.Open(setup, NodeRoles.Destination, port: 0);
            await using var feed = new ClusterFeed(setup, system);
            await feed.Join(option, nodes, waits: false, cancelled);
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
            string? wrong = null;
            void Fail(string reason)
            {
                wrong = reason;
                ends.Cancel();
            }

            inputs ??= KvmMigration.Open(options, result, settings, vm.Mode, await feed.Adopt(option, waits: false, Fail, cancelled));
            var code = await Run(Outputs.Of(options, result), setup, option, system, feed, inputs, migration, (vm, host), ends.Token);
            return wrong is null ? code : throw new CliException($"{option}: {wrong}");
        }
        finally
        {
            if (system is not null) await system.Terminate();
            inputs?.Dispose();
        }
    }

    private static async Task<int> Run(
        Outputs outputs, ClusterSetup setup, string option, ActorSystem system, ClusterFeed feed, RunInputs inputs,
        MigrationSettings migration, (KvmSetup Setup, IKvmHost Host) vm, CancellationToken cancelled)
    {
        var view = ProgressView.Create(outputs.JsonIsStandardOutput);
        var published = new PublishedBitmaps(inputs.Image.Identity);
        var clears = system.ActorOf(ClearPublisherActor.Props(published, setup.ClearEvery), ClearPublisherActor.Name);
        await using var session = new KvmSession(system, inputs, migration, vm.Setup, vm.Host, outputs.RecordsWorkingSet, clears);
        await feed.Connect(option, session.Actors.Pool, inputs.Image, published, waits: false, cancelled);
        using var metrics = feed.Metrics();
        var summary = await feed.Summary();
        view.Begin(inputs, migration,
            $"real vCPUs at CPL {vm.Setup.Ring} by {Units.NameOf(vm.Setup.Mode)}, pages from {summary.Nodes} node(s): {string.Join(", ", summary.Names)}");
        var report = await session.Run(
            progress =>
            {
                feed.Show(progress);
                view.Show(progress);
            },
            cancelled);
        view.End();
        feed.End(report);

        summary = await feed.Summary();
        ReportTable.Write(report, view.Output, summary);
        outputs.Write(report, summary, backend: "kvm");
        return MigrateCommand.ExitCode(report, cancelled);
    }
}
