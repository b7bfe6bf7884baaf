using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Userfault.Actors;
using Userfault.Cli;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>What is compiled before the clock: the small guest arrives, and nothing of it is counted.</summary>
public sealed partial class WarmupTests
{
    private const ulong Pages = 2048;

    /// <summary>A type that got another name would no longer be compiled, and nothing else would tell.</summary>
    [Fact]
    public void Every_type_of_the_way_of_a_fault_is_there()
    {
        static string[] Missing(Type room, string[] names) =>
            [.. names.Except(room.Assembly.GetTypes().Select(static t => t.Name.Split('`')[0]))];

        Assert.Empty(Missing(typeof(IGuestMemory), FaultPathTypes.OfPages));
        Assert.Empty(Missing(typeof(UserfaultBitmap), FaultPathTypes.OfMmu));
    }

    [Fact]
    public void A_source_exchanges_pages_with_itself_while_it_joins()
    {
        using var image = new SyntheticImage(new SyntheticSettings(100, 0.3, 0.1, 1));
        var warmup = new ServingWarmup(ClusterSetup.Open(Settings.Load(null)), image);

        warmup.Dispose();

        Assert.Equal(ServingWarmup.Requests, warmup.Answered);
    }

    [Theory]
    [InlineData(Architecture.X86, FaultMode.Both, MemoryKind.Anonymous, BackgroundOrder.Sequential)]
    [InlineData(Architecture.Arm64, FaultMode.Userfault, MemoryKind.Shmem, BackgroundOrder.Outward)]
    [InlineData(Architecture.X86, FaultMode.Userfaultfd, MemoryKind.Shmem, BackgroundOrder.None)]
    [InlineData(Architecture.X86, FaultMode.Userfault, MemoryKind.GuestMemfd, BackgroundOrder.Recorded)]
    public async Task The_small_guest_arrives_whatever_the_real_one_is(
        Architecture arch,
        FaultMode mode,
        MemoryKind memory,
        BackgroundOrder background
    )
    {
        var settings = new MigrationSettings
        {
            Architecture = arch,
            Mode = mode,
            Memory = memory,
            Background = background,
        };
        await using var feed = FeedOf(new LinkSettings(LatencyNs: 5_000_000_000, BitsPerSecond: 1000));
        await using var backend = new ModelBackend(settings, feed, static _ => throw new InvalidOperationException());
        Assert.NotNull(await backend.WarmUp(WorkingSetRecording.On, CancellationToken.None)!);
    }

    [Fact]
    public async Task A_small_guest_that_was_stopped_is_not_claimed()
    {
        await using var feed = FeedOf(LinkSettings.None);
        await using var backend = new ModelBackend(
            new MigrationSettings(),
            feed,
            static _ => throw new InvalidOperationException()
        );
        Assert.Null(await backend.WarmUp(WorkingSetRecording.Off, new CancellationToken(canceled: true))!);
    }

    [Fact]
    public async Task Nothing_of_the_small_guest_is_counted()
    {
        var without = await Migrate(warmsUp: false);
        var with = await Migrate(warmsUp: true);
        Assert.Equal(Pages, with.PagesPresent);
        Assert.Equal(Counts(without), Counts(with));
    }

    [Fact]
    public async Task It_is_said_in_lines_and_in_json()
    {
        var lines = await CommandLine.Run("migrate", "--synthetic", "4M", "--pattern", "random", "--ips", "off");
        Assert.Matches(Said(), lines.Output);
        using var folder = new TemporaryFolder();
        var report = folder.At("report.json");
        var demo = await CommandLine.Run(
            "cluster",
            "demo",
            "--nodes",
            "1",
            "--synthetic",
            "4M",
            "--pattern",
            "random",
            "--json",
            report
        );
        Assert.Equal(0, demo.ExitCode);
        Assert.Matches(Said(), demo.Output);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(report));
        Assert.True(json.RootElement.GetProperty("details").GetProperty("compiledMs").GetDouble() > 0);
        var paging = await CommandLine.Run("demand-paging", "-b", "1M");
        Assert.Matches(Said(), paging.Output);
    }

    // However slow the machine is: the interval is not over before the first page.
    [Fact]
    public async Task The_first_progress_has_a_rate()
    {
        var run = await CommandLine.Run("migrate", "--set", "userfault.progress.interval=600s");
        var line = Rate().Match(run.Output);
        Assert.True(line.Success, run.Output);
        Assert.NotEqual(0, double.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    // One vCPU, one page after another and no push: every count is decided by the settings.
    private static async Task<MigrationReport> Migrate(bool warmsUp)
    {
        var settings = new MigrationSettings { Background = BackgroundOrder.None, ProgressNs = 0 };
        using var inputs = RunInputs.Of(
            new SyntheticImage(new SyntheticSettings(Pages, 0.3, 0.1)),
            new PatternWorkload(
                new PatternSettings(PatternKind.Sequential, 1, Pages) { InstructionsPerSecond = 0, WriteShare = 0.5 }
            )
        );
        await using var feed = FeedOf(LinkSettings.None);
        await using var backend = new ModelBackend(settings, feed, _ => inputs);
        if (warmsUp)
            Assert.NotNull(await backend.WarmUp(WorkingSetRecording.Off, CancellationToken.None)!);
        await feed.Open(static _ => { }, CancellationToken.None);
        await backend.Start(inputs, WorkingSetRecording.Off, CancellationToken.None);
        return await backend.Run(static _ => { }, CancellationToken.None);
    }

    private static string Counts(MigrationReport report) =>
        string.Join(
            "\n",
            $"pages {report.PagesPresent} of {report.Pages}, {report.Verification}",
            $"faults {report.Slots.UserfaultExits} {report.Slots.UffdSleeps} {report.Slots.Merged}",
            $"placed {report.Slots.DemandPlaced} {report.Slots.BackgroundPlaced} {report.Slots.LateDropped}",
            $"outcomes {string.Join(' ', report.Slots.Outcomes)}",
            $"waits {report.Latency.Count}",
            $"fetched {report.Fetches.DemandPages} {report.Fetches.Delivered} {report.Fetches.Zero}",
            $"accesses {string.Join(' ', report.Vcpus.Select(v => $"{v.Reads} {v.Writes} {v.WrongReads} {v.Faults}"))}"
        );

    private static LocalFeed FeedOf(LinkSettings link) =>
        new(Settings.Load(null).Config, 1, new SourceSection(link, RememberedContents: 1024));

    [GeneratedRegex(@"(?m)^compiled the way of a fault in [0-9.]+ (ms|s), before the clock$")]
    private static partial Regex Said();

    [GeneratedRegex(@"(?m)^.* pages \([^)]*%\) +([0-9]+) pages/s .*$")]
    private static partial Regex Rate();
}
