using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Files and destinations that do not fit: each ends in one line.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed class RefusalTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData(0.5)]
    [InlineData(0.9999)]
    public async Task A_stream_that_is_cut_short_is_refused(double part)
    {
        QemuProgram.IsNeeded();
        var file = _folder.At("cut.mig");
        var bytes = File.ReadAllBytes(saved.Plain);
        File.WriteAllBytes(file, bytes.AsSpan(0, (int)(bytes.Length * part)));
        var result = await CommandLine.Run("qemu", "restore", file, "--to", $"unix:{_folder.At("none")}");
        result.IsBadInput(file);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_machine_is_refused(bool hasLog)
    {
        QemuProgram.IsNeededAsDestination();
        var options = new QemuOptions
        {
            Rom = saved.Rom,
            RamMib = saved.RamMib,
            Machine = "q35",
            IsIncoming = true,
        };
        await using var to = await QemuProcess.StartAsync(_folder, "to", options);
        using var restore = Restore(to, hasLog ? ["--qemu-log", to.LogPath] : []);
        await restore.FailureAsync("QEMU", hasLog ? "Machine type received is 'pc-i440fx" : "standard error");
        Assert.NotEqual(0, await to.EndAsync());
    }

    [SkippableFact]
    public async Task A_block_that_the_destination_does_not_have_is_refused()
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(
            _folder,
            "to",
            "-object",
            $"memory-backend-ram,id=other,size={saved.RamMib}M",
            "-machine",
            "memory-backend=other"
        );
        using var restore = Restore(to, "--qemu-log", to.LogPath);
        await restore.FailureAsync("Unknown ramblock", "pc.ram", "start QEMU anew");
        Assert.NotEqual(0, await to.EndAsync());
    }

    [SkippableFact]
    public async Task A_destination_that_does_not_wait_for_a_migration_is_refused()
    {
        QemuProgram.IsNeededAsDestination();
        var options = new QemuOptions { Rom = saved.Rom, RamMib = saved.RamMib };
        await using var to = await QemuProcess.StartAsync(_folder, "to", options);
        using var restore = Restore(to);
        await restore.FailureAsync(to.QmpPath, "-incoming defer");
        Assert.False(to.HasEnded);
    }

    private RestoreProcess Restore(QemuProcess to, params string[] more) =>
        new(_folder, [saved.Plain, "--to", $"unix:{_folder.At("to.sock")}", "--qmp", to.QmpPath, .. more]);
}
