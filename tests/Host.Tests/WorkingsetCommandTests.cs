using System.Text.Json;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Host.Tests;

public sealed class WorkingsetCommandTests : IDisposable
{
    private static readonly string[] Guest =
    [
        "--pattern",
        "zipf",
        "--vcpus",
        "2",
        "--accesses",
        "300",
        "--ips",
        "off",
        "--mode",
        "userfault",
    ];

    private readonly TemporaryFolder _folder = new();
    private readonly string _image;

    public WorkingsetCommandTests()
    {
        var bytes = new byte[8 << 20];
        new Random(1).NextBytes(bytes);
        _image = _folder.Write("image", bytes);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Recordings_are_merged_looked_at_bounded_and_replayed()
    {
        foreach (var seed in (string[])["1", "2"])
        {
            await Good("migrate", [.. Of(seed), "--background", "none", "--record", _folder.At(seed)]);
            await Good(
                "migrate",
                [.. Of(seed), "--background", "none", "--record", _folder.At("both"), "--record-merge"]
            );
        }

        await Good(
            "workingset",
            ["merge", "-o", _folder.At("merged"), _folder.At("1"), _folder.At("2"), "--limit", "400K"]
        );
        var info = await Good(
            "workingset",
            ["info", _folder.At("1"), _folder.At("both"), _folder.At("merged"), "--json", "-"]
        );
        using var json = JsonDocument.Parse(info.Output);
        var sets = json.RootElement.GetProperty("sets").EnumerateArray().ToList();
        Assert.Equal([1, 2, 2], sets.Select(static s => s.GetProperty("recordings").GetInt32()));
        Assert.Equal([0, 1, 1], sets.Select(static s => s.GetProperty("generation").GetInt32()));
        Assert.Equal(100, sets[2].GetProperty("pages").GetInt32());
        Assert.All(
            sets,
            static s =>
                Assert.Equal(
                    s.GetProperty("pages").GetInt32(),
                    s.GetProperty("wanted").EnumerateArray().Sum(static row => row.GetProperty("pages").GetInt32())
                )
        );
        // Merging as it is recorded is merging afterwards; only which of two vCPUs was first is chance.
        await Good("workingset", ["merge", "-o", _folder.At("afterwards"), _folder.At("1"), _folder.At("2")]);
        Assert.Equal(Wanted(_folder.At("afterwards")), Wanted(_folder.At("both")));

        // What is replayed is pushed first, and no more of it than the limit: a fault that nobody replayed is demand.
        var whole = await Good("migrate", [.. Of("3"), "--replay", _folder.At("both"), "--json", "-"]);
        Assert.Contains("\"recorded\"", whole.Output, StringComparison.Ordinal);
        var bounded = await Good(
            "migrate",
            [.. Of("3"), "--replay", _folder.At("both"), "--replay-limit", "5", "--json", "-"]
        );
        Assert.Contains("\"recorded\"", bounded.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_half_life_decides_what_falls_out()
    {
        var recordings = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            using var image = ImageOf();
            using var recorder = new WorkingSetRecorder(image.Pages);
            recorder.Touch(new MemoryPage(i == 0 ? 7ul : 9));
            recordings.Add(_folder.At($"recording{i}"));
            WorkingSetFile.Save(recordings[^1], recorder.ToWorkingSet(image));
        }

        foreach (var (halfLife, pages) in ((string, ulong)[])[("1", 1), ("4", 2), ("off", 2)])
        {
            await Good("workingset", ["merge", "-o", _folder.At("out"), .. recordings, "--half-life", halfLife]);
            Assert.Equal(pages, WorkingSetFile.Read(_folder.At("out")).TouchedPages);
        }

        // The output may be one of those that are merged.
        await Good("workingset", ["merge", "-o", recordings[0], .. recordings]);
        Assert.Equal(5u, WorkingSetFile.Read(recordings[0]).Recordings);
    }

    [Fact]
    public async Task What_does_not_go_together_is_one_line()
    {
        var set = _folder.At("set");
        using (var other = new SyntheticImage(new SyntheticSettings(2048, Seed: 9)))
        using (var recorder = new WorkingSetRecorder(2048))
        {
            WorkingSetFile.Save(set, recorder.ToWorkingSet(other));
        }

        using var image = ImageOf();
        using var own = new WorkingSetRecorder(image.Pages);
        WorkingSetFile.Save(_folder.At("own"), own.ToWorkingSet(image));
        foreach (
            var (args, parts) in ((string[], string[])[])
                [
                    (["workingset", "info", _folder.At("none")], [_folder.At("none")]),
                    (["workingset", "info", _image], [_image, "not a working set"]),
                    (["workingset", "merge", "-o", _folder.At("no/such"), set], ["--output", "make it first"]),
                    (
                        ["workingset", "merge", "-o", _folder.At("x"), _folder.At("own"), set],
                        [set, "recorded on image"]
                    ),
                    (["workingset", "merge", "-o", _folder.At("x"), set, "--limit", "0"], ["--limit"]),
                    (["workingset", "merge", "-o", _folder.At("x"), set, "--limit", "5K"], ["--limit"]),
                    (["workingset", "merge", "-o", _folder.At("x"), set, "--half-life", "0"], ["--half-life"]),
                    (["migrate", .. Of("1"), "--replay-limit", "5"], ["--replay-limit", "--replay"]),
                    (["migrate", .. Of("1"), "--replay", set, "--replay-limit", "x"], ["--replay-limit"]),
                    (["migrate", .. Of("1"), "--replay-shared"], ["--replay-shared", "--cluster"]),
                    (["migrate", .. Of("1"), "--record-merge"], ["--record-merge", "--record"]),
                    (
                        [
                            "migrate",
                            .. Of("1"),
                            "--replay",
                            _folder.At("own"),
                            "--record",
                            _folder.At("x"),
                            "--record-merge",
                        ],
                        ["--record-merge", "--replay"]
                    ),
                    // Said before the run, and not when its recording is to be written.
                    (["migrate", .. Of("1"), "--record", set, "--record-merge"], [set, "recorded on image"]),
                    (["node", "--role", "source", "--image", _image, "--working-set", set], [set, "recorded on image"]),
                    (["node", "--role", "fetcher", "--working-set", set], ["--working-set", "source"]),
                    (
                        ["serve", "--socket", _folder.At("s"), "--image", _image, "--replay-shared"],
                        ["--replay-shared", "--cluster"]
                    ),
                ]
        )
        {
            (await CommandLine.Run(args)).IsBadInput(parts);
        }

        Assert.False(File.Exists(_folder.At("x")));
    }

    private static List<(ulong Page, ulong Weight)> Wanted(string path) =>
        [
            .. WorkingSetFile
                .Read(path)
                .Entries.SelectMany(static e =>
                    Enumerable.Range(0, (int)e.Pages.Count).Select(i => (e.Pages.Start.Value + (ulong)i, e.Weight))
                )
                .Order(),
        ];

    private string[] Of(string seed) => ["--image", _image, .. Guest, "--seed", seed];

    private IMemoryImage ImageOf() => Cli.ImageFiles.Open(_image);

    private static async Task<CommandLine.Result> Good(string command, string[] args)
    {
        var run = await CommandLine.Run([command, .. args]);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', args)}: {run.Error}");
        return run;
    }
}
