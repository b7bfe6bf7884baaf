using Userfault.Handler;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Host.Tests.Serve;

/// <summary>Working sets of several guests of one handler.</summary>
public sealed class RecordingTests
{
    private const string Size = "8M";
    private const int Pages = 2048;

    [SkippableFact]
    public async Task Recordings_of_several_guests_are_merged_and_replayed_up_to_a_limit()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        string[] guest = ["--touchers", "2", "--accesses", "300", "--overlapping", "--verify", "off"];
        using (var serve = await Serve(folder, "--record", folder.At("set"), "--record-merge"))
        {
            Assert.Equal(0, (await Guest(folder, ["--pattern", "zipf", .. guest])).ExitCode);
            await serve.Line(HandlerEvent.Ended);
            Assert.Equal(0, (await Guest(folder, ["--pattern", "random", .. guest])).ExitCode);
            await serve.Line(HandlerEvent.Ended);
            serve.Signal("TERM");
            Assert.Equal(0, await serve.End());
        }

        Assert.Equal(2u, WorkingSetFile.Read(folder.At("set")).Recordings);
        using (
            var serve = await Serve(
                folder,
                "--once",
                "--push",
                "none",
                "--replay",
                folder.At("set"),
                "--replay-limit",
                "80K",
                "--json",
                folder.At("replayed.json")
            )
        )
        {
            using var replayed = new ServeProcess([
                "guest",
                "--socket",
                folder.At("s"),
                "--synthetic",
                Size,
                "--pause-at",
                "0",
                "--pattern",
                "zipf",
                .. guest,
            ]);
            await serve.Line($" 20/{Pages} pages");
            replayed.Enter();
            Assert.True(await replayed.End() == 0, replayed.All());
            Assert.Equal(0, await serve.End());
        }

        var vm = ServeProcess.Report(folder.At("replayed.json")).GetProperty("vms")[0];
        Assert.Equal(20, vm.GetProperty("backgroundPages").GetInt64());
        Assert.True(vm.GetProperty("demandPages").GetInt64() > 0);
    }

    private static async Task<ServeProcess> Serve(TemporaryFolder folder, params string[] args)
    {
        var serve = new ServeProcess(["serve", "--socket", folder.At("s"), "--synthetic", Size, .. args]);
        await serve.Line(HandlerEvent.Listening);
        return serve;
    }

    private static Task<CommandLine.Result> Guest(TemporaryFolder folder, params string[] args) =>
        CommandLine.Run(["guest", "--socket", folder.At("s"), "--synthetic", Size, .. args]);
}
