using System.Diagnostics;

namespace Userfault.Host.Tests.Cluster;

/// <summary>Sources, fetchers and the destination as separate processes that nobody disturbs.</summary>
public sealed class ClusterTests : ClusterSpec
{
    // The image has a hole, which the destination hears of from the source.
    [Fact]
    public async Task Nodes_with_several_images_are_told_apart_by_the_one_that_is_named()
    {
        var patient = Config(Patient);
        var elf = Folder.Write("hole.elf", HoledElf());
        var source = await Start("source", ["--image", elf, .. patient]);

        var run = await CommandLine.Run(["migrate", "--cluster", source.Address, "--pattern", "sequential", "--vcpus", "1", "--json", "-", .. patient]);
        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal(5, report.GetProperty("details").GetProperty("verification").GetProperty("verified").GetInt32());
        Assert.Contains("5 pages (20.0 KiB) in 2 ranges below 28.0 KiB", run.Error, StringComparison.Ordinal);

        await Start("source", ["--synthetic", "1M", "--seeds", source.Address, .. patient]);
        (await CommandLine.Run(["migrate", "--cluster", source.Address, "--json", "-", .. patient]))
            .IsBadInput("--cluster", "several images", "hole.elf", "synthetic 256 pages", "--image");
    }

    [Fact]
    public async Task A_destination_that_is_there_first_waits_for_its_source()
    {
        var patient = Config(Patient);
        using var destination = CommandLine.Start(["node", "--role", "destination", "--until-stdin-closes", .. SlowGuest[2..], .. patient]);
        var at = (await Migration.Line(destination, "userfault node: destination at ")).Split(' ')[^1];

        await Start("source", [.. Image, "--seeds", at, .. patient]);

        Migration.AllVcpusFinished(await Migration.End(destination), 2000);
    }

    [Theory]
    [InlineData("userfault.cluster.split-brain", "split-brain = flip-a-coin", "keep-destination")]
    [InlineData("userfault.cluster.stable-after", "stable-after = soon")]
    [InlineData("userfault.cluster.metrics-port", "metrics-port = 70000")]
    public async Task Settings_that_make_no_cluster_are_refused_by_name(string key, string setting, string also = "") =>
        (await CommandLine.Run("node", "--role", "source", "--synthetic", "1M", "--config", Folder.Write("bad.hocon", $"userfault.cluster {{ {setting} }}")))
            .IsBadInput(key, also);

    [Theory]
    [InlineData("--cluster", "--cluster", "nowhere")]
    [InlineData("--latency", "--cluster", "127.0.0.1:1", "--latency", "30us")]
    public async Task Options_that_do_not_fit_are_refused_by_name(string named, params string[] args) =>
        (await CommandLine.Run(["migrate", .. args])).IsBadInput(named);

    // In one line: nothing has been started by then.
    [Theory]
    [InlineData("--latency", "--latency", "30us")]
    [InlineData("--mode", "--mode", "banana")]
    [InlineData("--memory", "--memory", "guest_memfd", "--mode", "both")]
    [InlineData("nowhere.csv", "--trace", "nowhere.csv", "--synthetic", "4M")]
    [InlineData("--cluster", "--cluster", "127.0.0.1:1")]
    [InlineData("--nodes", "--nodes", "65")]
    public async Task What_a_demo_cannot_use_is_refused_before_it_starts_anything(string named, params string[] args) =>
        (await CommandLine.Run(["cluster", "demo", .. args])).IsBadInput(named);

    [Fact]
    public async Task The_demo_starts_its_nodes_migrates_and_stops_them()
    {
        var run = await CommandLine.Run(["cluster", "demo", "--nodes", "4", .. Image, "--pattern", "random", "--json", "-", .. Config(Patient)]);

        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal((2, 0), (report.GetProperty("nodes").GetInt32(), report.GetProperty("lostNodes").GetInt32()));
        var started = run.Error.Split('\n').Where(l => l.StartsWith("started ", StringComparison.Ordinal)).ToList();
        Assert.Equal(["fetcher", "fetcher", "source", "source"], started.Select(l => l.Split(' ')[1]).Order(StringComparer.Ordinal));
        Assert.All(started, l => Assert.Throws<ArgumentException>(() => Process.GetProcessById(int.Parse(l.Split(' ')[^1], null))));
    }

    [Fact]
    public async Task A_role_that_does_not_exist_is_refused() =>
        (await CommandLine.Run("node", "--role", "king")).IsBadInput("--role", "king");

    // Two pages, a hole of two, three pages; the third word of the last page is not zero.
    private static byte[] HoledElf()
    {
        var file = new byte[176 + (5 * 4096)];
        new byte[] { 0x7f, 0x45, 0x4c, 0x46, 2, 1, 1 }.CopyTo(file, 0);
        (file[16], file[18], file[20], file[32], file[52], file[54], file[56]) = (4, 62, 1, 64, 64, 56, 2);
        Segment(64, 176, 0, 2);
        Segment(120, 176 + (2 * 4096), 4, 3);
        file[^4080] = 1;
        return file;

        void Segment(int at, long offset, long page, long pages)
        {
            file[at] = 1;
            BitConverter.TryWriteBytes(file.AsSpan(at + 8), offset);
            foreach (var address in new[] { 16, 24 }) BitConverter.TryWriteBytes(file.AsSpan(at + address), page * 4096);
            foreach (var size in new[] { 32, 40 }) BitConverter.TryWriteBytes(file.AsSpan(at + size), pages * 4096);
        }
    }
}
