using Akka.Actor;
using Userfault.Actors;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary>What every migration from a cluster's nodes begins and ends with, whatever its guest runs on.</summary>
/// <param name="setup">How this process takes part in the cluster.</param>
/// <param name="option">The option that named the nodes, for messages.</param>
/// <param name="waits">Is a cluster without the image waited for, however long it takes?</param>
internal sealed class ClusterRun(ClusterSetup setup, string option, bool waits)
{
    /// <summary>Joins, has the guest migrated, leaves.</summary>
    /// <param name="nodes">Nodes to join at; asked for once what is worked on is open.</param>
    /// <param name="port">TCP port of the cluster; 0 is any free one.</param>
    /// <param name="adopts">Is the image the one that the cluster has?</param>
    /// <param name="open">What is worked on: the image adopted, or null for the one that the options name.</param>
    /// <param name="migrate">Migrates to the exit code, in the guest's actor system.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">No cluster, no image, or the image turned out to be another.</exception>
    public async Task<int> Run(
        Func<Task<IReadOnlyList<Address>>> nodes, int port, bool adopts, Func<RemoteImage?, RunInputs> open,
        Func<ActorSystem, ClusterFeed, RunInputs, CancellationToken, Task<int>> migrate, CancellationToken cancelled)
    {
        // What is wrong with the own image is said before anybody is joined.
        var inputs = adopts ? null : open(null);
        ActorSystem? system = null;
        try
        {
            var joinsAt = await nodes();
            setup.CheckNodes(option, joinsAt);
            system = ActorSystem.Create(ClusterSetup.SystemName, setup.Settings.Config);
            await using var feed = new ClusterFeed(setup, system, port);
            await feed.Join(option, joinsAt, waits, cancelled);
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
            string? wrong = null;
            void Fail(string reason)
            {
                wrong = reason;
                ends.Cancel();
            }

            inputs ??= open(await feed.Adopt(option, waits, Fail, cancelled));
            var code = await migrate(system, feed, inputs, ends.Token);
            return wrong is null ? code : throw new CliException($"{option}: {wrong}");
        }
        finally
        {
            if (system is not null) await system.Terminate();
            inputs?.Dispose();
        }
    }

    /// <summary>Says where the pages come from, shows how the migration goes, reports how it went.</summary>
    /// <param name="feed">Where the pages come from.</param>
    /// <param name="inputs">What is worked on.</param>
    /// <param name="migration">What is done.</param>
    /// <param name="outputs">Where reports go.</param>
    /// <param name="guest">What the guest is, for the line at the beginning and for the report.</param>
    /// <param name="run">Runs the migration to its report.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    public static async Task<int> Report(
        ClusterFeed feed, RunInputs inputs, MigrationSettings migration, Outputs outputs, (string? Line, Backend Backend) guest,
        Func<Action<MigrationProgress>, CancellationToken, Task<MigrationReport>> run, CancellationToken cancelled)
    {
        var view = ProgressView.Create(outputs.JsonIsStandardOutput);
        using var metrics = feed.Metrics();
        var summary = await feed.Summary();
        var from = $"pages from {summary.Nodes} node(s): {string.Join(", ", summary.Names)}";
        view.Begin(inputs, migration, guest.Line is null ? from : $"{guest.Line}, {from}");
        var report = await run(
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
        outputs.Write(report, summary, Units.NameOf(guest.Backend));
        return MigrateCommand.ExitCode(report, cancelled);
    }
}
