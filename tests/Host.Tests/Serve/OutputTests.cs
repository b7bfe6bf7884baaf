using System.Diagnostics;
using Userfault.Handler;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>A handler whose outputs are full, closed, or read by nobody serves its guests to the end.</summary>
public class OutputTests
{
    private const string Size = "8M";

    [SkippableTheory]
    [InlineData(">/dev/full")]
    [InlineData(">/dev/full 2>/dev/full")]
    [InlineData(">&-")]
    public async Task Nothing_can_be_written(string redirection)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = Start(folder, redirection, "--json", folder.At("serve.json"));
        await Served(folder);
        Assert.True(await serve.End() == 0, serve.All());
        // What it would have said is counted: listening, began, progress, ended.
        Assert.InRange(LinesLost(folder), 3, int.MaxValue);
    }

    [SkippableFact]
    public async Task Nobody_reads_any_more()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = Start(folder, "| head -n 1", "--json", folder.At("serve.json"));
        await serve.Line(HandlerEvent.Listening);
        await Served(folder);
        // The shell's exit code is head's; the report is the handler's own word.
        Assert.Equal(0, await serve.End());
        await Eventually.Holds(() => File.Exists(folder.At("serve.json")));
        Assert.InRange(LinesLost(folder), 1, int.MaxValue);
    }

    /// <summary>
    /// The pipe is full and nobody takes anything out of it: a line would wait for ever, and who writes it with it.
    /// </summary>
    [SkippableFact]
    public async Task A_reader_that_stands_still_holds_no_guest_up()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        // The pipe holds 64 KiB: filled first, by the shell.
        using var serve = Start(
            folder,
            "",
            before: "head -c 65536 /dev/zero; ",
            args: ["--json", folder.At("serve.json")],
            isRead: false
        );
        await Served(folder);
        await Eventually.Holds(() => File.Exists(folder.At("serve.json")));
        Assert.True(await serve.End() == 0, serve.All());
    }

    [SkippableFact]
    public async Task A_report_that_cannot_be_written_is_said_and_costs_no_guest_anything()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = Start(folder, ">/dev/full", "--json", "-");
        await Served(folder);
        await serve.Line($"{HandlerEvent.NotReported}: ");
        Assert.Equal(1, await serve.End());
        Assert.DoesNotContain("   at ", serve.All(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_disk_that_is_full_behind_a_record_costs_no_guest_anything()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        Skip.If(Environment.UserName != "root", "needs root, to mount a small file system");
        Directory.CreateDirectory(folder.At("disk"));
        using var probe = Process.Start(
            new ProcessStartInfo(
                "unshare",
                ["--mount", "mount", "-t", "tmpfs", "-o", "size=8k", "none", folder.At("disk")]
            )
            {
                RedirectStandardError = true,
            }
        )!;
        await probe.WaitForExitAsync();
        Skip.If(probe.ExitCode != 0, $"no file system can be mounted: {await probe.StandardError.ReadToEndAsync()}");
        var disk = folder.At("disk");
        using var serve = Start(
            folder,
            "",
            before: $"mount -t tmpfs -o size=8k none {disk}; head -c 8192 /dev/zero > {disk}/fill; ",
            args: ["--record", folder.At("disk/set"), "--json", folder.At("serve.json")],
            within: ["unshare", "--mount"]
        );
        await serve.Line(HandlerEvent.Listening);
        await Served(folder);
        await serve.Line(HandlerEvent.NotRecorded);
        Assert.Equal(1, await serve.End());
        Assert.Equal(
            "monitor_gone",
            ServeProcess.Report(folder.At("serve.json")).GetProperty("vms")[0].GetProperty("end").GetString()
        );
    }

    [SkippableTheory]
    [InlineData("migrate", "--synthetic", "4M")]
    [InlineData("demand-paging")]
    public async Task Another_command_ends_with_one_line(params string[] command)
    {
        Skip.IfNot(File.Exists("/dev/full"), "there is no /dev/full");
        using var process = ServeProcess.ByShell("\"$@\" >/dev/full", command);
        Assert.Equal(1, await process.End());
        Assert.Single(process.All().Split('\n'));
    }

    private static long LinesLost(TemporaryFolder folder) =>
        ServeProcess.Report(folder.At("serve.json")).GetProperty("linesLost").GetInt64();

    // A guest that is right to its last page.
    private static async Task Served(TemporaryFolder folder)
    {
        await Eventually.Holds(() => File.Exists(folder.At("s")));
        var guest = await CommandLine.Run(
            "guest",
            "--socket",
            folder.At("s"),
            "--synthetic",
            Size,
            "--touchers",
            "4",
            "--patience",
            "300s"
        );
        Assert.True(guest.ExitCode == 0, guest.Output + guest.Error);
    }

    private static ServeProcess Start(TemporaryFolder folder, string redirection, params string[] args) =>
        Start(folder, redirection, "", args);

    private static ServeProcess Start(
        TemporaryFolder folder,
        string redirection,
        string before,
        string[] args,
        bool isRead = true,
        string[]? within = null
    ) =>
        ServeProcess.ByShell(
            // Replaced by the command, so that its exit code and its process id are the command's.
            redirection.StartsWith('|')
                ? $"{before}\"$@\" {redirection}"
                : $"{before}exec \"$@\" {redirection}",
            ["serve", "--socket", folder.At("s"), "--synthetic", Size, "--once", .. args],
            within,
            isOutputRead: isRead
        );
}
