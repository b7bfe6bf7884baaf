using Userfault.Actors;
using Userfault.Cli;
using Userfault.Pages;

namespace Userfault.Host.Tests;

public sealed class MigrationRunTests
{
    // A loop that spins where others want the core makes every page wait for the scheduler; one that sleeps is woken
    // for each fault of few vCPUs.
    [Theory]
    [InlineData(4, 0, 1, "userfault-vcpus", "userfault-memslots")]
    [InlineData(4, 2, 1, "userfault-vcpus", "userfault-memslots")]
    [InlineData(4, 3, 64, "userfault-memslots", "userfault-memslots")]
    [InlineData(2, 0, 31, "userfault-memslots", "userfault-memslots")]
    [InlineData(2, 0, 32, "userfault-vcpus", "userfault-memslots")]
    [InlineData(2, 1, 64, "userfault-memslots", "userfault-memslots")]
    [InlineData(2, 2, 64, "userfault-shared", "userfault-shared")]
    [InlineData(1, 2, 64, "userfault-shared", "userfault-shared")]
    public void Loops_of_their_own_are_for_cores_that_nobody_else_wants_and_for_vcpus_that_keep_them_busy(
        int processors,
        int others,
        int count,
        string vcpus,
        string memslots
    ) => Assert.Equal((vcpus, memslots), MigrationRun.DispatchersFor(processors, others, count));

    [Fact]
    public async Task Ctrl_C_before_the_start_has_a_report_as_well()
    {
        const ulong Pages = 2048;
        using var inputs = RunInputs.Of(
            new SyntheticImage(new SyntheticSettings(Pages, 0.3, 0.1)),
            new PatternWorkload(new PatternSettings(PatternKind.Random, 2, Pages))
        );
        await using var feed = new LocalFeed(Settings.Load(null).Config, 1, new SourceSection(LinkSettings.None, 1024));
        await using var backend = new ModelBackend(new MigrationSettings(), feed, _ => inputs);
        await feed.Open(static _ => { }, CancellationToken.None);
        await backend.Start(inputs, WorkingSetRecording.Off, CancellationToken.None);
        var report = await backend
            .Run(static _ => { }, new CancellationToken(canceled: true))
            .WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((MigrationState.Failed, "stopped by Ctrl-C"), (report.State, report.Reason));
        Assert.Equal((Pages, 0UL), (report.Pages, report.PagesPresent));
    }
}
