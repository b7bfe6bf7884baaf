using System.Globalization;
using Userfault.Handler;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>A monitor whose cgroup has less memory than its guest is served as far as the guest touches.</summary>
public class MemoryLimitTests
{
    private const string Size = "512M";
    private const long LimitMiB = 224;

    [SkippableTheory]
    [InlineData("sequential", "64")]
    [InlineData("none", "64")]
    public async Task Neither_push_nor_chunks_get_a_monitor_killed(string push, string chunk)
    {
        Here.NeedsUserfaultfd();
        using var group = LimitedGroup.Make(LimitMiB << 20);
        using var folder = new TemporaryFolder();
        using var serve = new ServeProcess(
            "serve",
            "--socket",
            folder.At("s"),
            "--synthetic",
            Size,
            "--once",
            "--push",
            push,
            "--chunk",
            chunk,
            "--json",
            folder.At("serve.json")
        );
        await serve.Line(HandlerEvent.Listening);
        // Its accesses go all over its memory: the chunks around them would be all of it.
        using var guest = ServeProcess.ByShell(
            "echo $$ > \"$0/cgroup.procs\"; exec \"$@\"",
            [
                "guest",
                "--socket",
                folder.At("s"),
                "--synthetic",
                Size,
                "--touchers",
                "4",
                "--accesses",
                "1000",
                "--overlapping",
                "--verify",
                "off",
                "--patience",
                "300s",
            ],
            name: group.Folder
        );
        Assert.True(await guest.End() == 0, guest.All() + serve.All());
        Assert.True(await serve.End() == 0, serve.All());
        Assert.Single(
            serve.All().Split('\n'),
            line => line.Contains($": {HandlerEvent.PushStopped}: ", StringComparison.Ordinal)
        );
        var vm = ServeProcess.Report(folder.At("serve.json")).GetProperty("vms")[0];
        Assert.Equal("monitor_gone", vm.GetProperty("end").GetString());
    }

    // A cgroup of a test's own; gone at its end.
    private sealed class LimitedGroup(string folder) : IDisposable
    {
        public string Folder => folder;

        public static LimitedGroup Make(long bytes)
        {
            Skip.If(Environment.UserName != "root", "needs root, to make a cgroup");
            var isFirst = File.Exists("/sys/fs/cgroup/memory/memory.limit_in_bytes");
            var isSecond =
                File.Exists("/sys/fs/cgroup/cgroup.subtree_control")
                && File.ReadAllText("/sys/fs/cgroup/cgroup.subtree_control")
                    .Contains("memory", StringComparison.Ordinal);
            Skip.IfNot(isFirst || isSecond, "no memory controller for a cgroup of its own is here");
            var top = isFirst ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
            var folder = Path.Join(top, $"userfault-test-{Environment.ProcessId}-{Path.GetRandomFileName()}");
            try
            {
                Directory.CreateDirectory(folder);
                File.WriteAllText(
                    Path.Join(folder, isFirst ? "memory.limit_in_bytes" : "memory.max"),
                    bytes.ToString(CultureInfo.InvariantCulture)
                );
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (Directory.Exists(folder))
                    Directory.Delete(folder);
                Skip.If(true, $"no cgroup can be made: {e.Message}");
            }

            return new LimitedGroup(folder);
        }

        // The kernel lets go of it a moment after its last process.
        public void Dispose() =>
            Eventually.HoldsHere(() =>
            {
                try
                {
                    Directory.Delete(folder);
                    return true;
                }
                catch (IOException)
                {
                    return false;
                }
            });
    }
}
