using Userfault.Handler;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>A handler and its monitors as real processes.</summary>
public class ServeTests
{
    private const string Size = "8M";
    private const int Pages = 2048;

    // Longer than any test waits for a process: a machine that has no time for it is no reason for a guest to give up.
    private const string Patience = "300s";

    [SkippableTheory]
    [InlineData("private")]
    [InlineData("shmem")]
    public async Task The_two_terminals_of_the_readme(string memory)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = await Serve(folder, "--once", "--json", folder.At("serve.json"));
        // A second one at the same place is refused, and takes nothing away from the first.
        (await CommandLine.Run("serve", "--socket", folder.At("s"), "--synthetic", Size)).IsBadInput(folder.At("s"));
        var guest = await Guest(
            folder,
            "--touchers",
            "8",
            "--balloon",
            "0.25",
            "--regions",
            "3",
            "--memory",
            memory,
            "--json",
            folder.At("guest.json")
        );
        Assert.True(guest.ExitCode == 0, guest.Output + guest.Error);
        Assert.Equal(0, await serve.End());

        var vm = ServeProcess.Report(folder.At("serve.json")).GetProperty("vms")[0];
        Assert.Equal("monitor_gone", vm.GetProperty("end").GetString());
        Assert.Equal(Pages / 4, vm.GetProperty("removedPages").GetInt64());
        Assert.Equal(Pages, vm.GetProperty("pagesPresent").GetInt64());
        // Which way they went; what was given back and touched again got zeros by a call of its own.
        Assert.Equal(memory == "shmem", vm.GetProperty("continuedPages").GetInt64() > 0);
        Assert.Equal(memory == "private", vm.GetProperty("copiedPages").GetInt64() > 0);
        Assert.InRange(vm.GetProperty("allocatedBytes").GetInt64(), 0, 4096);
        var seen = ServeProcess.Report(folder.At("guest.json"));
        Assert.True(seen.GetProperty("verified").GetBoolean());
        Assert.False(File.Exists(folder.At("s")));
    }

    [SkippableFact]
    public async Task Status_shows_a_handler_while_it_serves()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = await Serve(folder, "--once", "--push", "none", "--status-socket", folder.At("status"));
        var nobody = await CommandLine.Run("status", "--serve", folder.At("status"));
        Assert.True(nobody.ExitCode == 0, nobody.Error);
        Assert.Empty(nobody.Error);
        using var guest = PausedGuest(folder);
        await guest.Line("paused");
        // One that asks and does not listen is not waited for.
        using var silent = UnixSocket.Connect(folder.At("status"));
        var json = await CommandLine.Run("status", "--serve", folder.At("status"), "--json");
        var report = System.Text.Json.JsonDocument.Parse(json.Output).RootElement;
        Assert.Equal(serve.Id, report.GetProperty("process").GetInt32());
        var vm = Assert.Single(report.GetProperty("vms").EnumerateArray());
        Assert.Equal("none", vm.GetProperty("end").GetString());
        Assert.Equal(guest.Id, vm.GetProperty("monitorPid").GetInt32());
        Assert.InRange(vm.GetProperty("pagesPresent").GetInt64(), 1, Pages);
        var text = await CommandLine.Run("status", "--serve", folder.At("status"));
        Assert.Equal(0, text.ExitCode);
        Assert.Contains($"{serve.Id}", text.Output, StringComparison.Ordinal);
        Assert.Contains($"{guest.Id}", text.Output, StringComparison.Ordinal);
        guest.Kill();
        Assert.Equal(0, await serve.End());
        Assert.False(File.Exists(folder.At("status")));
        (await CommandLine.Run("status", "--serve", folder.At("status"))).IsBadInput("--serve", folder.At("status"));
        (await CommandLine.Run("status")).IsBadInput("--cluster", "--serve");
    }

    [SkippableFact]
    public async Task Huge_pages_as_firecracker_has_them()
    {
        Here.NeedsUserfaultfd();
        using var reserved = HugePages.Take(6);
        using var folder = new TemporaryFolder();
        using var serve = await Serve(folder, "--once", "--push", "none", "--json", folder.At("serve.json"));
        (await Guest(folder, "--huge-pages", "--secret-free")).IsBadInput("--huge-pages");
        var guest = await Guest(
            folder,
            "--huge-pages",
            "--touchers",
            "4",
            "--regions",
            "2",
            "--balloon",
            "0.25",
            "--json",
            folder.At("guest.json")
        );
        Assert.True(guest.ExitCode == 0, guest.Output + guest.Error);
        IsVerified(folder);
        Assert.Equal(0, await serve.End());
        var vm = ServeProcess.Report(folder.At("serve.json")).GetProperty("vms")[0];
        Assert.Equal(Pages, vm.GetProperty("pagesPresent").GetInt64());
        Assert.Equal(512, vm.GetProperty("removedPages").GetInt64());
    }

    [SkippableFact]
    public async Task The_secret_free_form()
    {
        const string deviceShare = "0.5";
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = await Serve(folder, "--once", "--push", "none", "--json", folder.At("serve.json"));
        var guest = await Guest(
            folder,
            "--touchers",
            "8",
            "--secret-free",
            "--device-share",
            deviceShare,
            "--json",
            folder.At("guest.json")
        );
        Assert.True(guest.ExitCode == 0, guest.Output + guest.Error);
        Assert.Equal(0, await serve.End());
        var vm = ServeProcess.Report(folder.At("serve.json")).GetProperty("vms")[0];
        var requests = ServeProcess.Report(folder.At("guest.json")).GetProperty("requests").GetInt64();
        Assert.True(vm.GetProperty("secretFree").GetBoolean());
        Assert.Equal(requests, vm.GetProperty("requests").GetInt64());
        // What the memory really was is said, and why.
        var why = GuestMemfdProbe.WhyNot();
        var seen = ServeProcess.Report(folder.At("guest.json"));
        Assert.True(seen.GetProperty("memfdInPlaceOfGuestMemfd").GetBoolean());
        Assert.Equal(why, seen.GetProperty("noGuestMemfdBecause").GetString());
        Assert.True(requests > 8);
    }

    /// <summary>
    /// 64 threads sleep on pages of their own process and another one serves them, while both collect garbage every
    /// millisecond: nothing may wait for a collection that waits for a page.
    /// </summary>
    [SkippableFact]
    public async Task Collections_and_pages_never_wait_for_each_other()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = await Serve(folder, "--once", "--chunk", "1", "--push", "none", "--gc-stress");
        var guest = await Guest(folder, "--touchers", "64", "--gc-stress", "--json", folder.At("guest.json"));
        Assert.True(guest.ExitCode == 0, guest.Output + guest.Error);
        Assert.True(ServeProcess.Report(folder.At("guest.json")).GetProperty("collections").GetInt64() > 0);
        Assert.Equal(0, await serve.End());
    }

    /// <summary>The guest waits at half of its accesses until another serves it.</summary>
    [SkippableTheory]
    [InlineData("private", true)]
    [InlineData("secret-free", true)]
    [InlineData("shmem", true)]
    [InlineData("private", false)]
    [InlineData("secret-free", false)]
    [InlineData("shmem", false)]
    public async Task A_standby_goes_on_after_kill_9_and_after_Ctrl_C(string memory, bool killed)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var first = await Serve(folder, "--standby-socket", folder.At("t"), "--chunk", "1", "--push", "none");
        using var second = new ServeProcess(
            "serve",
            "--standby",
            folder.At("t"),
            "--synthetic",
            Size,
            "--once",
            "--json",
            folder.At("second.json")
        );
        await second.Line(HandlerEvent.StandsBy);
        using var guest = PausedGuest(
            folder,
            memory == "secret-free"
                ? ["--secret-free", "--device-share", "0.5"]
                : ["--balloon", "0.25", "--memory", memory]
        );
        await second.Line("Holds: vm 1:");
        await guest.Line("paused");
        if (killed)
            first.Kill();
        else
            first.Interrupt();
        await second.Line("TakesOver: 1 ");
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All());
        IsVerified(folder);
        Assert.Equal(0, await second.End());
        var vm = ServeProcess.Report(folder.At("second.json")).GetProperty("vms")[0];
        Assert.Equal(Pages, vm.GetProperty("pagesPresent").GetInt64());
        // It went on, and did not begin anew.
        Assert.InRange(
            vm.GetProperty("demandPages").GetInt64() + vm.GetProperty("backgroundPages").GetInt64(),
            1,
            Pages - 1
        );
        if (!killed)
            Assert.Equal(0, await first.End());
        // It knew where both listened, and took both files away.
        Assert.False(File.Exists(folder.At("s")));
        Assert.Equal(killed, File.Exists(folder.At("t")));
    }

    /// <summary>
    /// Killed while they serve, one after another, wherever they are: the guest is not let go before the last of them
    /// serves.
    /// </summary>
    [SkippableTheory]
    [InlineData("private")]
    [InlineData("secret-free")]
    [InlineData("shmem")]
    public async Task Standbys_take_over_from_standbys(string memory)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        var serving = await Serve(folder, "--standby-socket", folder.At("t"), "--chunk", "1", "--push", "none");
        using var guest = PausedGuest(
            folder,
            memory == "secret-free"
                ? ["--secret-free", "--ips", "1e6"]
                : ["--balloon", "0.25", "--ips", "1e6", "--memory", memory]
        );
        await serving.Line(HandlerEvent.Began);
        for (var round = 0; round < 3; round++)
        {
            var next = new ServeProcess(
                "serve",
                "--standby",
                folder.At("t"),
                "--standby-socket",
                folder.At("t"),
                "--synthetic",
                Size,
                "--chunk",
                "1",
                "--push",
                "none",
                "--once"
            );
            await next.Line("Holds: vm 1:");
            serving.Kill();
            await next.Line("TakesOver: 1 ");
            await next.Line(HandlerEvent.Listening);
            serving.Dispose();
            serving = next;
        }
        await guest.Line("paused");
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All() + serving.All());
        IsVerified(folder);
        Assert.Equal(0, await serving.End());
        serving.Dispose();
    }

    [SkippableFact]
    public async Task A_standby_that_cannot_have_one_of_its_own_serves_nonetheless()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var first = await Serve(folder, "--standby-socket", folder.At("t"), "--push", "none");
        using var second = new ServeProcess(
            "serve",
            "--standby",
            folder.At("t"),
            "--standby-socket",
            folder.At("none/t"),
            "--synthetic",
            Size,
            "--once"
        );
        using var guest = PausedGuest(folder);
        await second.Line("Holds: vm 1:");
        first.Kill();
        await second.Line(HandlerEvent.StandbyRefused);
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All() + second.All());
        Assert.Equal(0, await second.End());
    }

    [SkippableFact]
    public async Task A_standby_takes_new_monitors_too()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var first = await Serve(folder, "--standby-socket", folder.At("t"));
        using var second = new ServeProcess("serve", "--standby", folder.At("t"), "--synthetic", Size, "--once");
        await first.Line(HandlerEvent.StandbyAttached);
        first.Interrupt();
        Assert.Equal(0, await first.End());
        await second.Line(HandlerEvent.TakesOver);
        var guest = await Guest(folder);
        Assert.True(guest.ExitCode == 0, guest.Output + guest.Error);
        Assert.Equal(0, await second.End());
    }

    [SkippableFact]
    public async Task Ctrl_C_puts_everything_in_place_and_the_guest_lives_on()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = await Serve(folder, "--push", "none", "--chunk", "1", "--json", folder.At("serve.json"));
        using var guest = PausedGuest(folder);
        await guest.Line("paused");
        serve.Interrupt();
        Assert.Equal(0, await serve.End());
        var vm = ServeProcess.Report(folder.At("serve.json")).GetProperty("vms")[0];
        Assert.Equal("completed", vm.GetProperty("end").GetString());
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All());
    }

    [SkippableFact]
    public async Task A_monitor_that_breaks_the_protocol_is_stopped()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = await Serve(folder, "--once", "--json", folder.At("serve.json"));
        // Twice as much memory as the handler's image has.
        using var guest = new ServeProcess("guest", "--socket", folder.At("s"), "--synthetic", "16M");
        Assert.NotEqual(0, await guest.End());
        Assert.Contains(
            $": {ProtocolError.PastImage}: ",
            await serve.Line(HandlerEvent.Refused),
            StringComparison.Ordinal
        );
        await serve.Line(HandlerEvent.MonitorStopped);
        // And the handler goes on.
        Assert.Equal(0, (await Guest(folder)).ExitCode);
        Assert.Equal(0, await serve.End());
    }

    [SkippableFact]
    public async Task Pages_come_from_a_node_and_the_monitor_is_stopped_when_no_source_is_left()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var node = new ServeProcess("node", "--role", "source", "--synthetic", Size);
        var address = (await node.Line("serves")).Split(' ')[^1];
        using var serve = new ServeProcess(
            "serve",
            "--socket",
            folder.At("s"),
            "--cluster",
            address,
            "--push",
            "none",
            "--chunk",
            "1",
            "--json",
            folder.At("serve.json"),
            "--once"
        );
        await serve.Line(HandlerEvent.Listening);
        var good = await Guest(folder, "--balloon", "0.1", "--touchers", "8");
        Assert.True(good.ExitCode == 0, good.Output + good.Error + serve.All());
        Assert.Equal(0, await serve.End());

        using var again = new ServeProcess(
            "serve",
            "--socket",
            folder.At("s"),
            "--cluster",
            address,
            "--push",
            "none",
            "--chunk",
            "1",
            "--source-patience",
            "2s",
            "--once"
        );
        await again.Line(HandlerEvent.Listening);
        using var guest = PausedGuest(folder);
        await guest.Line("paused");
        node.Kill();
        guest.Enter();
        await again.Line(HandlerEvent.Failed);
        await again.Line(HandlerEvent.MonitorStopped);
        Assert.NotEqual(0, await guest.End());
        Assert.Equal(1, await again.End());
    }

    [SkippableTheory]
    [InlineData("private")]
    [InlineData("shmem")]
    public async Task A_recorded_working_set_is_replayed(string memory)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        string[] guest =
        [
            "--pattern",
            "zipf",
            "--touchers",
            "2",
            "--accesses",
            "500",
            "--overlapping",
            "--verify",
            "off",
            "--memory",
            memory,
        ];
        using (
            var serve = await Serve(
                folder,
                "--once",
                "--record",
                folder.At("set"),
                "--json",
                folder.At("recorded.json")
            )
        )
        {
            Assert.Equal(0, (await Guest(folder, guest)).ExitCode);
            Assert.Equal(0, await serve.End());
        }
        var recorded = ServeProcess
            .Report(folder.At("recorded.json"))
            .GetProperty("vms")[0]
            .GetProperty("demandPages")
            .GetInt64();
        using (
            var serve = await Serve(
                folder,
                "--once",
                "--push",
                "none",
                "--replay",
                folder.At("set"),
                "--json",
                folder.At("replayed.json")
            )
        )
        {
            // The guest waits before its first access until all of the set is there: then it waits for nothing.
            using var replayed = new ServeProcess([
                "guest",
                "--socket",
                folder.At("s"),
                "--synthetic",
                Size,
                "--pause-at",
                "0",
                .. guest,
            ]);
            await serve.Line($" {recorded}/{Pages} pages");
            replayed.Enter();
            Assert.True(await replayed.End() == 0, replayed.All());
            Assert.Equal(0, await serve.End());
        }
        var vm = ServeProcess.Report(folder.At("replayed.json")).GetProperty("vms")[0];
        Assert.Equal(
            (recorded, 0, 0),
            (
                vm.GetProperty("backgroundPages").GetInt64(),
                vm.GetProperty("demandPages").GetInt64(),
                vm.GetProperty("faults").GetInt64()
            )
        );

        var foreign = await CommandLine.Run(
            "serve",
            "--socket",
            folder.At("s"),
            "--synthetic",
            "16M",
            "--replay",
            folder.At("set")
        );
        foreign.IsBadInput(folder.At("set"));
    }

    private static async Task<ServeProcess> Serve(TemporaryFolder folder, params string[] args)
    {
        var serve = new ServeProcess(["serve", "--socket", folder.At("s"), "--synthetic", Size, .. args]);
        await serve.Line(HandlerEvent.Listening);
        return serve;
    }

    // Its touchers wait at half of their accesses for a line.
    private static ServeProcess PausedGuest(TemporaryFolder folder, params string[] args) =>
        new([
            "guest",
            "--socket",
            folder.At("s"),
            "--synthetic",
            Size,
            "--touchers",
            "4",
            "--pause-at",
            "0.5",
            "--patience",
            Patience,
            "--json",
            folder.At("guest.json"),
            .. args,
        ]);

    private static void IsVerified(TemporaryFolder folder)
    {
        var seen = ServeProcess.Report(folder.At("guest.json"));
        Assert.True(seen.GetProperty("verified").GetBoolean());
        Assert.Equal(Pages, seen.GetProperty("checked").GetInt64());
    }

    private static Task<CommandLine.Result> Guest(TemporaryFolder folder, params string[] args) =>
        CommandLine.Run(["guest", "--socket", folder.At("s"), "--synthetic", Size, "--patience", Patience, .. args]);
}
