using System.Text.Json;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Guests whose memory lies in very many places, or far apart: cost follows pages.</summary>
public sealed class MemoryRangesTests
{
    private const int PageBytes = 4096;
    private static readonly string[] FewAccesses = ["--pattern", "random", "--accesses", "10"];

    [Theory]
    [InlineData(32_765)]
    [InlineData(65_999)]
    public async Task More_ranges_than_a_vm_has_memslots_are_refused(int ranges)
    {
        using var folder = new TemporaryFolder();
        var core = CoreFile.Write(folder.At("core"), Apart(ranges));
        (await CommandLine.Run("migrate", "--image", core)).IsBadInput(core, $"{ranges} ranges", "32764");
    }

    [Fact]
    public async Task A_memslot_size_that_makes_too_many_is_refused() =>
        (await CommandLine.Run("migrate", "--synthetic", "256M", "--set", "userfault.memslot.size=4K")).IsBadInput(
            "userfault.memslot.size",
            "65536 memslots",
            "32764"
        );

    [Theory]
    [InlineData(1_000)]
    [InlineData(30_000)]
    public async Task Thousands_of_ranges_are_migrated(int ranges)
    {
        using var folder = new TemporaryFolder();
        var core = CoreFile.Write(folder.At("core"), Apart(ranges));
        var report = await Migrated(folder, core);
        Assert.Equal(ranges, report.GetProperty("pagesPresent").GetInt64());
    }

    [Fact]
    public async Task Ranges_that_touch_are_one_however_many_headers_name_them()
    {
        using var folder = new TemporaryFolder();
        var core = CoreFile.Write(
            folder.At("core"),
            [.. Enumerable.Range(0, 65_999).Select(static i => ((ulong)i * 64, 64UL))]
        );
        var info = await CommandLine.Run("image", "info", core);
        Assert.Equal(0, info.ExitCode);
        Assert.Single(info.Output.Split('\n'), static line => line.StartsWith("range", StringComparison.Ordinal));
        await Migrated(folder, core);
    }

    [SkippableFact]
    public async Task Memory_at_high_addresses_costs_what_it_has()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the kernel says what a process has used on Linux alone");
        const long maxBytes = 1L << 30;
        using var folder = new TemporaryFolder();
        var core = CoreFile.Write(folder.At("core"), [(0, 4 << 20), (0x3800_0000_0000, 16 * PageBytes)]);
        using var process = CommandLine.Start(["migrate", "--image", core, .. FewAccesses]);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var late = new CancellationTokenSource(Patience.Longest);
        var ended = process.WaitForExitAsync(late.Token);
        var most = 0L;
        while (!ended.IsCompleted)
        {
            most = Math.Max(most, PeakBytes(process.Id));
            Assert.InRange(most, 0, maxBytes);
            await Task.WhenAny(ended, Task.Delay(10, late.Token));
        }

        await ended;
        Assert.True(process.ExitCode == 0, await output + await error);
        Assert.InRange(most, 1, maxBytes);
    }

    private static List<(ulong Start, ulong Bytes)> Apart(int ranges) =>
        [.. Enumerable.Range(0, ranges).Select(static i => ((ulong)i * 2 * PageBytes, (ulong)PageBytes))];

    private static async Task<JsonElement> Migrated(TemporaryFolder folder, string core)
    {
        var json = folder.At("report.json");
        var run = await CommandLine.Run(["migrate", "--image", core, "--json", json, .. FewAccesses]);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        return JsonDocument.Parse(await File.ReadAllTextAsync(json)).RootElement;
    }

    private static long PeakBytes(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line[6..^2].Trim()) << 10;
        }
        catch (IOException)
        {
            // It has just ended.
            return 0;
        }
    }
}
