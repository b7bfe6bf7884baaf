using System.Net.Sockets;
using Userfault.Qemu;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>What operators do wrong, and what becomes of the guest then.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed class OperatorTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A report over the saved guest would be the end of it.</summary>
    [SkippableTheory]
    [InlineData("--json")]
    [InlineData("--html")]
    [InlineData("--record")]
    public async Task What_is_read_is_not_written(string option)
    {
        QemuProgram.IsNeeded();
        var file = _folder.At("vm.mig");
        File.Copy(saved.Plain, file);
        var link = _folder.At("link");
        File.CreateSymbolicLink(link, file);
        var result = await CommandLine.Run("qemu", "restore", file, "--to", "unix:x", option, link);
        result.IsBadInput(option);
        Assert.Equal(new FileInfo(saved.Plain).Length, new FileInfo(file).Length);
    }

    /// <summary>The same of the commands whose guests are not QEMU's.</summary>
    [Theory]
    [InlineData("migrate")]
    [InlineData("serve", "--socket", "x")]
    public async Task An_image_is_not_overwritten_by_what_is_reported_of_it(params string[] command)
    {
        var image = _folder.Write("guest.raw", new byte[4096]);
        var result = await CommandLine.Run([.. command, "--image", image, "--json", image]);
        result.IsBadInput("--json");
        Assert.Equal(4096, new FileInfo(image).Length);
    }

    /// <summary>A node of a device would be replaced by a file.</summary>
    [Fact]
    public async Task A_guest_is_not_saved_over_a_device()
    {
        var link = _folder.At("null");
        File.CreateSymbolicLink(link, "/dev/null");
        var result = await CommandLine.Run("qemu", "save", link, "--qmp", _folder.At("q"));
        result.IsBadInput(link);
        Assert.NotNull(new FileInfo(link).LinkTarget);
    }

    /// <summary>A monitor serves one client at a time, and says nothing to the next.</summary>
    [SkippableFact]
    public async Task A_monitor_that_another_holds_is_not_waited_for_without_end()
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        await using var held = await QmpClient.ConnectAsync(to.QmpPath, CancellationToken.None);
        using var restore = new RestoreProcess(
            _folder,
            saved.Plain,
            "--to",
            $"unix:{_folder.At("s")}",
            "--qmp",
            to.QmpPath,
            "--patience",
            "1s"
        );
        await restore.FailureAsync("--qmp");
    }

    /// <summary>Something listens, and never reads: a QEMU that is stopped, or waits for a second connection.</summary>
    [SkippableFact]
    public async Task A_destination_that_says_nothing_is_not_waited_for_without_end()
    {
        QemuProgram.IsNeeded();
        var path = _folder.At("s");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var restore = new RestoreProcess(_folder, saved.Plain, "--to", $"unix:{path}", "--patience", "1s");
        var line = await restore.FailureAsync("--preempt");
        Assert.DoesNotContain("paused", line, StringComparison.Ordinal);
    }

    /// <summary>The guest of another file is not asked what it has of this one; its own file goes on with it.</summary>
    [SkippableFact]
    public async Task A_recovery_with_another_guests_file_leaves_the_guest_paused()
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        string[] target = ["--to", $"unix:{_folder.At("s")}", "--qmp", to.QmpPath];
        using (var first = new RestoreProcess(_folder, [saved.Plain, .. target, "--push", "4K", "--latency", "50ms"]))
        {
            await first.Command.Line("resumed after");
            first.Command.Kill();
        }

        var foreign = _folder.Write("other.mig", StreamBuilder.Small(64).Bytes);
        using (var wrong = new RestoreProcess(_folder, [foreign, .. target, "--recover"]))
            await wrong.FailureAsync("MiB of memory");
        using var right = new RestoreProcess(_folder, [saved.Plain, .. target, "--recover"]);
        await right.EndAsync(0);
        await to.IsCompleteAsync();
    }
}
