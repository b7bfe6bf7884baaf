using System.Diagnostics;

namespace Userfault.Host.Tests;

/// <summary>Ctrl-C stops cleanly and says what was not finished.</summary>
public class InterruptTests
{
    // The line behind which Ctrl-C comes; the command.
    [SkippableTheory]
    [InlineData("has let this one in yet", "migrate", "--cluster", "127.0.0.1:1", "--pattern", "random")]
    [InlineData("has let this one in yet", "migrate", "--cluster", "127.0.0.1:1", "--synthetic", "4M")]
    [InlineData("started source", "cluster", "demo", "--nodes", "2", "--synthetic", "4M")]
    public async Task Ctrl_C_before_there_is_a_report_is_one_line(string after, params string[] command)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "sends SIGINT by kill");
        using var process = CommandLine.Start(command);
        var output = process.StandardOutput.ReadToEndAsync();
        while (await process.StandardError.ReadLineAsync() is { } line && !line.Contains(after, StringComparison.Ordinal))
        {
        }

        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"])) await kill.WaitForExitAsync();
        var rest = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        var last = rest.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith("started", StringComparison.Ordinal));
        Assert.Equal(["userfault: stopped by Ctrl-C"], last);
        Assert.Equal("", await output);
    }

    [SkippableFact]
    public async Task Ctrl_C_ends_with_the_report_of_what_is_missing()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "sends SIGINT by kill");
        using var process = CommandLine.Start(
            "migrate", "--synthetic", "64M", "--pattern", "random", "--ips", "1e5", "--background", "none", "--mode", "userfault");
        // The first line of progress says that the guest runs.
        var line = "";
        while (!line.Contains("running", StringComparison.Ordinal))
            line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("it ended by itself");
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"])) await kill.WaitForExitAsync();
        var rest = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("stopped by Ctrl-C", rest, StringComparison.Ordinal);
        Assert.Contains("pages missing", rest, StringComparison.Ordinal);
    }
}
