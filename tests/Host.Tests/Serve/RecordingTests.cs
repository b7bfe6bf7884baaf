using Userfault.Handler;
using Userfault.Host.Tests.Cluster;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Host.Tests.Serve;

/// <summary>Working sets of several guests of one handler, and of the nodes that it has its pages from.</summary>
public sealed class RecordingTests : IDisposable
{
    private const string Size = "8M";
    private const int Pages = 2048;
    private static readonly string[] Guests =
    [
        "--touchers",
        "2",
        "--accesses",
        "300",
        "--overlapping",
        "--verify",
        "off",
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task Recordings_of_several_guests_are_merged_and_replayed_up_to_a_limit()
    {
        Here.NeedsUserfaultfd();
        var set = _folder.At("set");
        using (var serve = await Serve("--synthetic", Size, "--record", set, "--record-merge"))
        {
            Assert.Equal(0, (await CommandLine.Run(Guest("zipf"))).ExitCode);
            await serve.Line(HandlerEvent.Ended);
            Assert.Equal(0, (await CommandLine.Run(Guest("random"))).ExitCode);
            await serve.Line(HandlerEvent.Ended);
            serve.Signal("TERM");
            Assert.Equal(0, await serve.End());
        }

        Assert.Equal(2u, WorkingSetFile.Read(set).Recordings);
        using (var serve = await Serve(["--synthetic", Size, "--replay", set, "--replay-limit", "80K", .. Once]))
            await ReplaysAsync(serve, 20);
    }

    [SkippableFact]
    public async Task A_working_set_is_had_from_a_node()
    {
        Here.NeedsUserfaultfd();
        using var image = new SyntheticImage(
            new SyntheticSettings(Pages, ZeroShare: 0.3, DuplicateShare: 0.1, Seed: 1)
        );
        var set = _folder.At("set");
        WorkingSetFile.Save(
            set,
            new WorkingSet(image.Identity, image.Pages, [new MemoryPageRange(new MemoryPage(100), 30)])
        );
        using var node = await NodeProcess.Start("source", "--synthetic", Size, "--working-set", set);
        using var serve = await Serve(["--cluster", node.Serves, "--replay-shared", "--replay-limit", "25", .. Once]);
        Assert.Contains($"replays the working set of {node.Serves}: 30 pages", serve.All(), StringComparison.Ordinal);
        await ReplaysAsync(serve, 25);
    }

    private string[] Once => ["--push", "none", "--once", "--json", _folder.At("replayed.json")];

    // Of a guest that does not run yet, so many pages come and no more; then it runs to its end.
    private async Task ReplaysAsync(ServeProcess serve, int pages)
    {
        using var guest = new ServeProcess([.. Guest("zipf"), "--pause-at", "0"]);
        await serve.Line($" {pages}/{Pages} pages");
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All());
        Assert.Equal(0, await serve.End());
        var vm = ServeProcess.Report(_folder.At("replayed.json")).GetProperty("vms")[0];
        Assert.Equal(pages, vm.GetProperty("backgroundPages").GetInt64());
        Assert.True(vm.GetProperty("demandPages").GetInt64() > 0);
    }

    private async Task<ServeProcess> Serve(params string[] args)
    {
        var serve = new ServeProcess(["serve", "--socket", _folder.At("s"), .. args]);
        await serve.Line(HandlerEvent.Listening);
        return serve;
    }

    private string[] Guest(string pattern) =>
        ["guest", "--socket", _folder.At("s"), "--synthetic", Size, "--pattern", pattern, .. Guests];
}
