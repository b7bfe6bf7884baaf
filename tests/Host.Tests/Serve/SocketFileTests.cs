using Userfault.Handler;
using Userfault.Linux;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>A handler that ends takes its own socket away, and never its successor's.</summary>
public class SocketFileTests
{
    private const string Size = "8M";

    [SkippableFact]
    public async Task A_successor_at_the_same_paths_keeps_its_sockets()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        string[] paths =
        [
            "--socket",
            folder.At("s"),
            "--standby-socket",
            folder.At("standby"),
            "--status-socket",
            folder.At("status"),
        ];
        using var first = new ServeProcess(["serve", "--synthetic", Size, .. paths]);
        await first.Line(HandlerEvent.Listening);
        foreach (var name in folder.Names())
            File.Delete(folder.At(name));
        using var second = new ServeProcess(["serve", "--synthetic", Size, "--once", .. paths]);
        await second.Line(HandlerEvent.Listening);
        first.Interrupt();
        Assert.Equal(0, await first.End());
        Assert.Equal(["s", "standby", "status"], folder.Names());
        var status = await CommandLine.Run("status", "--serve", folder.At("status"));
        Assert.True(status.ExitCode == 0, status.Error);
        UnixSocket.Connect(folder.At("standby")).Dispose();
        var guest = await CommandLine.Run(
            "guest",
            "--socket",
            folder.At("s"),
            "--synthetic",
            Size,
            "--patience",
            "300s"
        );
        Assert.True(guest.ExitCode == 0, guest.Output + guest.Error);
        Assert.Equal(0, await second.End());
        Assert.Empty(folder.Names());
    }
}
