using System.Diagnostics;

namespace Userfault.Host.Tests;

/// <summary>Ctrl-C stops cleanly and says what was not finished.</summary>
public class InterruptTests
{
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
