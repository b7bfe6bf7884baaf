using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Host.Tests.Cluster;

/// <summary>Nodes share the working set of their image with destinations.</summary>
public sealed class SharedWorkingSetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_destination_replays_the_latest_set_that_a_source_has()
    {
        using var image = new SyntheticImage(new SyntheticSettings(2048, ZeroShare: 0.3, DuplicateShare: 0.1, Seed: 1));
        WorkingSetFile.Save(_folder.At("early"), Set(image, 3, generation: 1));
        WorkingSetFile.Save(_folder.At("late"), Set(image, 5, generation: 2));
        string[] served = ["--synthetic", "8M"];
        using var late = await NodeProcess.Start("source", [.. served, "--working-set", _folder.At("late")]);
        using var early = await NodeProcess.Start(
            "source",
            [.. served, "--working-set", _folder.At("early"), "--seeds", late.Address]
        );
        using var none = await NodeProcess.Start("source", [.. served, "--seeds", late.Address]);
        // All three are members before a destination asks.
        await Eventually.Holds(async () =>
            (await Migration.Status(late.Address)).GetProperty("nodes").GetArrayLength() == 3
        );
        var run = await Migrate(none.Address);
        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal("recorded", report.GetProperty("details").GetProperty("background").GetString());
        Assert.Contains($"{late.Serves}: 5 pages", run.Error, StringComparison.Ordinal);

        // A later state of the file is offered without a restart; one that is none leaves the state before.
        WorkingSetFile.Save(_folder.At("early"), Set(image, 8, generation: 3));
        _folder.Write("late", [1, 2, 3]);
        await Eventually.Holds(() => early.Complaints.Any(Says("8 pages")));
        await Eventually.Holds(() => late.Complaints.Any(Says("stays as it was")));
        run = await Migrate(none.Address);
        Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Contains($"{early.Serves}: 8 pages", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_set_anywhere_a_guest_comes_up_all_the_same()
    {
        using var source = await NodeProcess.Start("source", "--synthetic", "8M");
        var run = await Migrate(source.Address);
        Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Contains("none is replayed", run.Error, StringComparison.Ordinal);
    }

    private static Func<string, bool> Says(string part) => line => line.Contains(part, StringComparison.Ordinal);

    private Task<CommandLine.Result> Migrate(string node) =>
        CommandLine.Run([
            "migrate",
            "--cluster",
            node,
            "--synthetic",
            "8M",
            "--pattern",
            "random",
            "--vcpus",
            "2",
            "--replay-shared",
            "--json",
            "-",
            "--config",
            _folder.Write("patient.hocon", "userfault.cluster.join-timeout = 120s"),
        ]);

    private static WorkingSet Set(SyntheticImage image, ulong pages, uint generation) =>
        new(
            image.Identity,
            image.Pages,
            [new WorkingSetEntry(new MemoryPageRange(new MemoryPage(9), pages), 0, WorkingSetEntry.One, 1, 0)],
            recordings: 4,
            generation
        );
}
