using System.Diagnostics;
using Userfault.Handler;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>A handler that is asked to end puts everything in place first, in whichever way it is asked.</summary>
public class SignalTests
{
    private const string Size = "8M";

    [SkippableTheory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    [InlineData("QUIT")]
    public async Task A_signal_to_end_leaves_no_guest_hanging(string signal)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = new ServeProcess(Serve(folder));
        await serve.Line(HandlerEvent.Listening);
        using var guest = PausedGuest(folder);
        await guest.Line("paused");
        serve.Signal(signal);
        Assert.Equal(0, await serve.End());
        await IsComplete(folder, guest);
    }

    /// <summary>
    /// A service manager may end it at any moment; from when monitors can connect, that must be in order.
    /// </summary>
    [SkippableTheory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task A_signal_is_heard_from_the_first_moment_on(string signal)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = new ServeProcess(Serve(folder));
        // Without a pause: the socket is there before the line that says so.
        using var never = new ManualResetEventSlim();
        while (!File.Exists(folder.At("s")) && !serve.HasEnded)
            _ = never.Wait(1);
        serve.Signal(signal);
        Assert.Equal(0, await serve.End());
        Assert.False(File.Exists(folder.At("s")));
    }

    /// <summary>Its reader is gone, or it was told to go on without its terminal.</summary>
    [SkippableFact]
    public async Task Signals_that_say_nothing_to_a_handler_do_not_end_it()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(
            "nohup",
            [.. CommandLine.DefaultSignals, "dotnet", "exec", CommandLine.Assembly, .. Serve(folder), "--once"]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (CommandLine.DefaultSignals.Length > 0)
            start = WithoutHangup(start);
        using var serve = new ServeProcess(Process.Start(start)!);
        await serve.Line(HandlerEvent.Listening);
        using var guest = PausedGuest(folder);
        await guest.Line("paused");
        foreach (var signal in (string[])["HUP", "PIPE", "XFSZ"])
            serve.Signal(signal);
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All() + serve.All());
        Assert.Equal(0, await serve.End());
    }

    [SkippableFact]
    public async Task A_closed_terminal_leaves_no_guest_hanging()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var terminal = Terminal.Start(Serve(folder));
        await terminal.Shows(" Listening: ");
        using var guest = PausedGuest(folder);
        await guest.Line("paused");
        terminal.Close();
        Assert.Equal(0, await terminal.End());
        await IsComplete(folder, guest);
    }

    private static async Task IsComplete(TemporaryFolder folder, ServeProcess guest)
    {
        var vm = ServeProcess.Report(folder.At("serve.json")).GetProperty("vms")[0];
        Assert.Equal("completed", vm.GetProperty("end").GetString());
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All());
    }

    private static string[] Serve(TemporaryFolder folder) =>
        [
            "serve",
            "--socket",
            folder.At("s"),
            "--synthetic",
            Size,
            "--push",
            "none",
            "--chunk",
            "1",
            "--json",
            folder.At("serve.json"),
        ];

    private static ServeProcess PausedGuest(TemporaryFolder folder) =>
        new(
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
            "300s"
        );

    // The environment's own ignored signals must not hide what nohup does: it comes last.
    private static ProcessStartInfo WithoutHangup(ProcessStartInfo start)
    {
        var words = start.ArgumentList.ToArray();
        start.FileName = words[0];
        start.ArgumentList.Clear();
        foreach (var word in (string[])[words[1], "nohup", .. words[2..]])
            start.ArgumentList.Add(word);
        return start;
    }
}
