using System.Globalization;
using System.Text.Json;
using Userfault.Handler;
using Userfault.Tests;
using Xunit.Abstractions;

namespace Userfault.Host.Tests;

/// <summary>
/// A guest behind <c>serve --cluster</c> whose sources stop, die and come back, all as real processes. No page is
/// waited for much longer than the settings' timeout (500 ms), and the guest is never stopped.
/// </summary>
public sealed class FailoverTests(ITestOutputHelper output)
{
    private const int Pages = 2048;
    private const string Size = "8M";

    // Long for a busy machine, and half of what it takes until a silent connection is given up by itself.
    private const double MaxWaitUs = 5_000_000;

    /// <summary>
    /// It stands still until the guest has all its pages: from half of them on, or from before the first.
    /// </summary>
    [SkippableTheory]
    [InlineData("0.5", "none", "1")]
    [InlineData(null, "none", "1")]
    [InlineData(null, "sequential", "64")]
    public async Task One_of_two_sources_stands_still(string? from, string push, string chunk)
    {
        await using var run = await Run.Start(2, "--push", push, "--chunk", chunk);
        try
        {
            using var guest = await run.GuestAfter(from, run.Nodes[0].Stop);
            await run.Completes(guest, output);
        }
        finally
        {
            run.Nodes[0].Continue();
        }
    }

    [SkippableTheory]
    [InlineData("0.5", "none", "1")]
    [InlineData(null, "sequential", "64")]
    public async Task One_of_two_sources_is_killed(string? from, string push, string chunk)
    {
        await using var run = await Run.Start(2, "--push", push, "--chunk", chunk);
        using var guest = await run.GuestAfter(from, run.Nodes[0].Kill);
        await run.Completes(guest, output);
    }

    /// <summary>By Ctrl-C: it says goodbye, and takes its connections with it.</summary>
    [SkippableTheory]
    [InlineData("0.5", "none", "1")]
    [InlineData(null, "sequential", "64")]
    public async Task One_of_two_sources_leaves(string? from, string push, string chunk)
    {
        await using var run = await Run.Start(2, "--push", push, "--chunk", chunk);
        using var guest = await run.GuestAfter(
            from,
            async () =>
            {
                run.Nodes[0].Interrupt();
                Assert.Equal(0, await run.Nodes[0].End());
            }
        );
        await run.Completes(guest, output);
    }

    /// <summary>The form with a guest_memfd waits for its pages in another way.</summary>
    [SkippableFact]
    public async Task One_of_two_sources_is_killed_beside_a_secret_free_guest()
    {
        await using var run = await Run.Start(2, "--push", "none", "--chunk", "1");
        run.GuestArguments = ["--secret-free"];
        using var guest = await run.GuestAfter("0.5", run.Nodes[0].Kill);
        await run.Completes(guest, output);
    }

    /// <summary>Pages of a memory file go another way from their source.</summary>
    [SkippableFact]
    public async Task One_of_two_sources_is_killed_beside_a_guest_of_shared_memory()
    {
        await using var run = await Run.Start(2, "--push", "sequential", "--chunk", "16");
        run.GuestArguments = ["--memory", "shmem", "--balloon", "0.25"];
        using var guest = await run.GuestAfter("0.5", run.Nodes[0].Kill);
        await run.Completes(guest, output);
    }

    /// <summary>No source lives for a while: the guest waits, as long as patience lasts, and is not stopped.</summary>
    [SkippableFact]
    public async Task Both_sources_are_killed_and_one_comes_back()
    {
        await using var run = await Run.Start(2, "--push", "none", "--chunk", "1", "--source-patience", "300s");
        using var guest = await run.GuestAfter(
            "0.5",
            async () =>
            {
                run.Nodes[0].Kill();
                run.Nodes[1].Kill();
                await run.Serve.Line(HandlerEvent.SourceLost);
                await run.Serve.Line(HandlerEvent.SourceLost);
                await run.StartAgain(1);
                await run.Serve.Line(HandlerEvent.SourceBack);
            }
        );
        await run.Completes(guest, output);
    }

    /// <summary>It joins those that the handler asks, and they tell of it: its old address is nobody's.</summary>
    [SkippableFact]
    public async Task A_source_that_was_killed_and_started_elsewhere_is_found()
    {
        await using var run = await Run.Start(2, "--push", "none", "--chunk", "1");
        using var guest = await run.GuestAfter(
            "0.5",
            async () =>
            {
                run.Nodes[0].Kill();
                await run.Serve.Line(HandlerEvent.SourceLost);
                await run.StartNext("--seeds", run.Members[1]);
                await run.Serve.Line(HandlerEvent.SourceLearned);
                run.Nodes[1].Kill();
            }
        );
        await run.Completes(guest, output);
    }

    /// <summary>That it is found again shows when it is the only one that is left.</summary>
    [SkippableFact]
    public async Task A_source_that_was_killed_and_started_again_is_found()
    {
        await using var run = await Run.Start(2, "--push", "none", "--chunk", "1");
        using var guest = await run.GuestAfter(
            "0.5",
            async () =>
            {
                run.Nodes[0].Kill();
                await run.Serve.Line(HandlerEvent.SourceLost);
                await run.StartAgain(0);
                await run.Serve.Line(HandlerEvent.SourceBack);
                run.Nodes[1].Kill();
            }
        );
        await run.Completes(guest, output);
    }

    /// <summary>The user has named one; it knows the other, since both are nodes of one cluster.</summary>
    [SkippableTheory]
    [InlineData("killed")]
    [InlineData("stopped")]
    [InlineData("left")]
    [InlineData("restarted")]
    public async Task A_source_that_only_another_one_knows_serves_when_that_one_is_gone(string how)
    {
        await using var run = await Run.Start(1, "--push", "none", "--chunk", "1");
        await run.StartNext("--seeds", run.Members[0]);
        await run.Serve.Line(HandlerEvent.SourceLearned);
        try
        {
            using var guest = await run.GuestAfter("0.5", () => run.Happens(how, 0));
            await run.Completes(guest, output);
        }
        finally
        {
            if (how == "stopped")
                run.Nodes[0].Continue();
        }
    }

    // Sources, a handler that asks them, and a guest.
    private sealed class Run : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly List<string> _addresses = [];

        public List<ServeProcess> Nodes { get; } = [];

        /// <summary>Where other nodes join each.</summary>
        public List<string> Members { get; } = [];

        public ServeProcess Serve { get; private set; } = null!;

        /// <summary>More options of the guest.</summary>
        public string[] GuestArguments { get; set; } = [];

        public static async Task<Run> Start(int sources, params string[] args)
        {
            Here.NeedsUserfaultfd();
            var run = new Run();
            for (var i = 0; i < sources; i++)
                await run.StartNext();
            run.Serve = new ServeProcess([
                "serve",
                "--socket",
                run._folder.At("s"),
                "--cluster",
                string.Join(',', run._addresses),
                "--once",
                "--json",
                run._folder.At("serve.json"),
                .. args,
            ]);
            await run.Serve.Line(HandlerEvent.Listening);
            return run;
        }

        public async Task StartNext(params string[] args)
        {
            Nodes.Add(new ServeProcess(["node", "--role", "source", "--synthetic", Size, .. args]));
            Members.Add(Last(await Nodes[^1].Line("source at ")));
            _addresses.Add(Last(await Nodes[^1].Line(" serves ")));
        }

        public async Task StartAgain(int node)
        {
            var port = _addresses[node].Split(':')[^1];
            Nodes[node].Dispose();
            Nodes[node] = new ServeProcess("node", "--role", "source", "--synthetic", Size, "--data-port", port);
            await Nodes[node].Line(" serves ");
        }

        public async Task Happens(string how, int node)
        {
            switch (how)
            {
                case "killed":
                    Nodes[node].Kill();
                    break;
                case "stopped":
                    Nodes[node].Stop();
                    break;
                case "left":
                    Nodes[node].Interrupt();
                    Assert.Equal(0, await Nodes[node].End());
                    break;
                case "restarted":
                    Nodes[node].Kill();
                    await Serve.Line(HandlerEvent.SourceLost);
                    await StartAgain(node);
                    await Serve.Line(HandlerEvent.SourceBack);
                    break;
                default:
                    throw new ArgumentException(how, nameof(how));
            }
        }

        /// <summary>
        /// A guest to whose sources something happens when it has made a share of its accesses; null is before it
        /// begins.
        /// </summary>
        public async Task<ServeProcess> GuestAfter(string? share, Func<Task> happens)
        {
            if (share is null)
                await happens();
            var guest = new ServeProcess([
                "guest",
                "--socket",
                _folder.At("s"),
                "--synthetic",
                Size,
                "--touchers",
                "4",
                "--patience",
                "300s",
                "--json",
                _folder.At("guest.json"),
                .. GuestArguments,
                .. share is null ? Array.Empty<string>() : ["--pause-at", share],
            ]);
            if (share is null)
                return guest;
            await guest.Line("paused");
            await happens();
            guest.Enter();
            return guest;
        }

        public Task<ServeProcess> GuestAfter(string? share, Action happens) =>
            GuestAfter(
                share,
                () =>
                {
                    happens();
                    return Task.CompletedTask;
                }
            );

        /// <summary>The guest gets right pages to its end, and waits for none of them too long.</summary>
        public async Task Completes(ServeProcess guest, ITestOutputHelper output)
        {
            Assert.True(await guest.End() == 0, guest.All() + Serve.All());
            Assert.True(ServeProcess.Report(_folder.At("guest.json")).GetProperty("verified").GetBoolean());
            Assert.True(await Serve.End() == 0, Serve.All());
            var vm = ServeProcess.Report(_folder.At("serve.json")).GetProperty("vms")[0];
            var waits = vm.GetProperty("faultLatencyUs");
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"waits p50 {Us(waits, "p50"):0} us, p99.9 {Us(waits, "p999"):0} us, max {Us(waits, "max"):0} "
                        + $"us; {vm.GetProperty("faults")} faults, {vm.GetProperty("hedgedPages")} pages hedged, "
                        + $"{vm.GetProperty("retriedPages")} asked for again, {vm.GetProperty("latePages")} late"
                )
            );
            Assert.Equal(Pages, vm.GetProperty("pagesPresent").GetInt32());
            Assert.InRange(Us(waits, "max"), 0, MaxWaitUs);
        }

        public ValueTask DisposeAsync()
        {
            foreach (var process in Nodes.Append(Serve))
                process?.Dispose();
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }

        private static double Us(JsonElement waits, string percentile) => waits.GetProperty(percentile).GetDouble();

        private static string Last(string line) => line.Split(' ')[^1];
    }
}
