using Userfault.Host.Tests.Cluster;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Guests of a real QEMU whose file is on other nodes.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed class ClusterRestoreTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task A_guest_goes_on_from_two_sources_of_which_one_is_killed()
    {
        QemuProgram.IsNeededAsDestination();
        using var first = await NodeProcess.Start("source", "--image", saved.Plain);
        using var second = await NodeProcess.Start("source", "--image", saved.Plain);
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(to, $"{first.Serves},{second.Serves}", "--push", "1M");
        await to.ChecksAsync(3);
        // Most pages are still to come, however fast the guest is.
        await to.ExecuteAsync("stop");
        first.Kill();
        Assert.Equal("postcopy-active", await to.MigrationAsync());
        await to.ExecuteAsync("cont");
        var report = await restore.EndAsync(0);
        Assert.Equal("completed", report.GetProperty("end").GetString());
        Assert.Equal(0, report.GetProperty("leftPages").GetInt32());
        var cluster = restore.Report().GetProperty("cluster");
        Assert.Equal(2, cluster.GetProperty("sources").GetArrayLength());
        Assert.Equal(0, cluster.GetProperty("wrongPages").GetInt32());
        Assert.True(cluster.GetProperty("fetchedPages").GetInt32() >= report.GetProperty("contentPages").GetInt32());
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task A_source_that_was_not_named_takes_over()
    {
        QemuProgram.IsNeededAsDestination();
        using var first = await NodeProcess.Start("source", "--image", saved.Plain);
        using var second = await NodeProcess.Start("source", "--image", saved.Plain, "--seeds", first.Address);
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(to, second.Serves, "--push", "256K");
        await to.ChecksAsync(3);
        await to.ExecuteAsync("stop");
        await restore.Command.Line("SourceLearned");
        second.Kill();
        Assert.Equal("postcopy-active", await to.MigrationAsync());
        await to.ExecuteAsync("cont");
        await restore.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task A_restore_that_is_killed_is_taken_up_by_another_that_has_no_file_either()
    {
        QemuProgram.IsNeededAsDestination();
        using var source = await NodeProcess.Start("source", "--image", saved.Plain);
        await using var to = await saved.DestinationAsync(_folder);
        using (var restore = Restore(to, source.Serves, "--push", "1M"))
        {
            await to.ChecksAsync(3);
            await to.ExecuteAsync("stop");
            restore.Command.Kill();
            await restore.Command.End();
            await to.ExecuteAsync("cont");
        }

        using var next = Restore(to, source.Serves, "--recover");
        await next.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task Without_a_source_the_guest_is_paused_and_goes_on_with_the_file()
    {
        QemuProgram.IsNeededAsDestination();
        using var source = await NodeProcess.Start("source", "--image", saved.Plain);
        await using var to = await saved.DestinationAsync(_folder);
        using (var restore = Restore(to, source.Serves, "--push", "1M", "--source-patience", "500ms"))
        {
            await to.ChecksAsync(3);
            await to.ExecuteAsync("stop");
            source.Kill();
            await to.ExecuteAsync("cont");
            await restore.FailureAsync("have not come", "--recover");
        }

        using var next = new RestoreProcess(
            _folder,
            [saved.Plain, "--to", $"unix:{_folder.At("to.sock")}", "--qmp", to.QmpPath, "--recover"]
        );
        await next.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task Three_guests_go_on_from_one_cluster()
    {
        QemuProgram.IsNeededAsDestination();
        using var source = await NodeProcess.Start("source", "--image", saved.Plain);
        await using var one = await saved.DestinationAsync(_folder, "one");
        await using var two = await saved.DestinationAsync(_folder, "two");
        await using var three = await saved.DestinationAsync(_folder, "three");
        QemuProcess[] all = [one, two, three];
        using var restore = new RestoreProcess(
            _folder,
            [
                "--cluster",
                source.Serves,
                .. all.SelectMany((to, i) => new[] { "--to", $"unix:{_folder.At($"{i}.sock")}", "--qmp", to.QmpPath }),
            ]
        );
        Assert.True(await restore.Command.End() == 0, restore.Command.All());
        Assert.Equal(3, restore.Guests().Count);
        foreach (var to in all)
            await to.IsCompleteAsync(20);
    }

    [SkippableFact]
    public async Task A_secured_cluster_wants_certificates()
    {
        QemuProgram.IsNeededAsDestination();
        var keys = _folder.At("keys");
        Assert.Equal(0, (await CommandLine.Run("cluster", "keys", keys, "--nodes", "2")).ExitCode);
        using var source = await NodeProcess.Start(
            "source",
            "--image",
            saved.Plain,
            "--config",
            $"{keys}/node-1.hocon"
        );
        var refused = await CommandLine.Run([
            "qemu",
            "restore",
            "--cluster",
            source.Serves,
            "--to",
            $"unix:{_folder.At("to.sock")}",
        ]);
        refused.IsBadInput("--cluster", "no source found");
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(to, source.Serves, "--config", $"{keys}/node-2.hocon");
        await restore.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [Fact]
    public async Task An_image_that_is_no_saved_guest_is_refused()
    {
        using var source = await NodeProcess.Start("source", "--synthetic", "1M");
        var refused = await CommandLine.Run([
            "qemu",
            "restore",
            "--cluster",
            source.Serves,
            "--to",
            $"unix:{_folder.At("to.sock")}",
        ]);
        refused.IsBadInput("--cluster", "no source describes a guest");
    }

    [Theory]
    [InlineData("--cluster", "qemu restore")]
    [InlineData("--cluster", "name the file", "vm.mig", "--cluster", "127.0.0.1:9")]
    [InlineData("--latency", "belongs", "--cluster", "127.0.0.1:9", "--latency", "1ms")]
    [InlineData("--image-id", "belongs to --cluster", "vm.mig", "--image-id", "00")]
    [InlineData("--cluster", "such as 127.0.0.1", "--cluster", "nowhere")]
    public async Task Options_that_contradict_each_other_are_refused(string option, string what, params string[] args)
    {
        var refused = await CommandLine.Run(["qemu", "restore", "--to", $"unix:{_folder.At("to.sock")}", .. args]);
        refused.IsBadInput(option, what);
    }

    private RestoreProcess Restore(QemuProcess to, string cluster, params string[] more) =>
        new(_folder, ["--cluster", cluster, "--to", $"unix:{_folder.At("to.sock")}", "--qmp", to.QmpPath, .. more]);
}
