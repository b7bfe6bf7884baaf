namespace Userfault.Cli;

/// <summary>One migration from what was given to its exit code: a guest of any kind, pages from anywhere.</summary>
internal static class MigrationProcedure
{
    /// <summary>Migrates.</summary>
    /// <param name="arguments">What was given.</param>
    /// <param name="kind">What the guest runs on.</param>
    /// <param name="cluster">The cluster that the pages come from; null: this process has the image, or the guest's
    /// handler looks for it.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">Something that was given cannot be used, or the pages are not there.</exception>
    public static Task<int> Run(
        MigrateArguments arguments,
        Backend kind,
        ClusterRequest? cluster,
        CancellationToken cancelled
    )
    {
        arguments.Options.WorkingSets.Check(
            arguments.Result,
            arguments.Of(arguments.Options.Record),
            hasCluster: cluster is not null || arguments.Of(arguments.Options.Cluster) is not null
        );
        if (kind == Backend.Userfaultfd)
        {
            var handler = new HandlerFeed(arguments);
            var memory = new UffdBackend(arguments, handler);
            handler.Check();
            return Run(memory, handler, arguments, cancelled);
        }

        IActorFeed feed = cluster is null ? LocalFeedOf(arguments) : ClusterFeed.Of(arguments, cluster);
        IMigrationBackend backend =
            kind == Backend.Kvm ? new KvmBackend(arguments, feed) : ModelBackend.Of(arguments, feed);
        return Run(backend, feed, arguments, cancelled);
    }

    private static LocalFeed LocalFeedOf(MigrateArguments arguments) =>
        new(
            arguments.Settings.Config,
            arguments.Settings.Count("fetcher.count", 1, 1024),
            SourceSection.Of(arguments.Settings)
        );

    private static async Task<int> Run(
        IMigrationBackend backend,
        IPageFeed feed,
        MigrateArguments arguments,
        CancellationToken cancelled
    )
    {
        var outputs = Outputs.Of(arguments);
        string? wrong = null;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        void Fail(string reason)
        {
            wrong = reason;
            ends.Cancel();
        }

        var warmup = backend.WarmUp(outputs.WorkingSet, cancelled);
        // What is wrong with an image of one's own is said before anybody is joined.
        var inputs = feed.BringsImage ? null : backend.Open(null);
        try
        {
            await using (feed)
            {
                var adopted = await feed.Open(Fail, cancelled);
                inputs ??= backend.Open(adopted);
                if (arguments.Of(arguments.Options.WorkingSets.Shared))
                    inputs.Replay(await feed.SharedWorkingSet(inputs.Image, cancelled), arguments);
                await using (backend)
                {
                    await backend.Start(inputs, outputs.WorkingSet, ends.Token);
                    var compiled = warmup is null ? null : await warmup;
                    var code = await Report(backend, feed, inputs, (outputs, compiled), ends.Token);
                    return wrong is null ? code : throw new CliException(wrong);
                }
            }
        }
        finally
        {
            inputs?.Dispose();
        }
    }

    // Says what begins, shows how it goes, reports how it went.
    private static async Task<int> Report(
        IMigrationBackend backend,
        IPageFeed feed,
        RunInputs inputs,
        (Outputs Outputs, TimeSpan? Compiled) about,
        CancellationToken cancelled
    )
    {
        var (outputs, compiled) = about;
        var view = ProgressView.Create(outputs);
        var from = await feed.Describe();
        view.Begin(inputs, backend.Migration, backend.Line is { } guest ? $"{guest}, {from}" : from, compiled);
        var report = await backend.Run(
            progress =>
            {
                feed.Show(progress);
                view.Show(progress);
            },
            cancelled
        );
        view.End();

        var nodes = await feed.End(report);
        // The files are there even if nobody can read the table.
        try
        {
            outputs.Write(report, backend.Kind, nodes, compiled);
        }
        finally
        {
            ReportTable.Write(report, view.Output, nodes);
        }

        return ExitCodes.Of(report, cancelled);
    }
}
