using System.CommandLine;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Nodes;

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
        var setup = ClusterSetup.Open(settings);
        setup.CheckNodes(options.Cluster.Name, nodes);
        var host = new KernelKvmHost();
        var vm = KvmSetup.Of(settings).On(host);
        var migration = KvmMigration.ToMigration(settings, vm.Mode);
        var option = options.Cluster.Name;
        var adopts = result.GetValue(options.Image) is null && result.GetValue(options.Synthetic) is null;
        return await new ClusterRun(setup, option, waits: false).Run(
            () => Task.FromResult(nodes), port: 0, adopts, image => KvmMigration.Open(options, result, settings, vm.Mode, image),
            (system, feed, inputs, ends) => Run(Outputs.Of(options, result), option, system, feed, inputs, migration, (vm, host), ends),
            cancelled);
    }

    private static async Task<int> Run(
        Outputs outputs, string option, ActorSystem system, ClusterFeed feed, RunInputs inputs,
        MigrationSettings migration, (KvmSetup Setup, IKvmHost Host) vm, CancellationToken cancelled)
    {
        var clears = feed.Publish(new PublishedBitmaps(inputs.Image.Identity));
        await using var session = new KvmSession(system, inputs, migration, vm.Setup, vm.Host, outputs.RecordsWorkingSet, clears);
        await feed.Connect(option, session.Actors.Pool, inputs.Image, memory: null, waits: false, cancelled);
        return await ClusterRun.Report(
            feed, inputs, migration, outputs, ($"real vCPUs at CPL {vm.Setup.Ring} by {Units.NameOf(vm.Setup.Mode)}", Backend.Kvm),
            session.Run, cancelled);
    }
}
