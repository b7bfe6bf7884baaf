using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Guests that the command has had saved by a real QEMU.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed class SaveTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Also to a path that a shell would take apart, and over a file that is there.</summary>
    [SkippableFact]
    public async Task A_guest_that_the_command_saved_goes_on()
    {
        QemuProgram.IsNeededAsDestination();
        var file = _folder.Write("it's a $(guest).mig", "old");
        await using (var from = await StartAsync("from"))
        {
            await Eventually.Holds(() => from.Good > 1, () => from.Error);
            var (code, _, output) = await CommandLine.Run("qemu", "save", file, "--qmp", from.QmpPath);
            Assert.True(code == 0, output);
        }

        await using var to = await saved.DestinationAsync(_folder);
        using var restore = new RestoreProcess(_folder, file, "--to", $"unix:{_folder.At("s")}", "--qmp", to.QmpPath);
        await restore.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task Where_it_cannot_be_written_the_old_file_stays_and_nothing_is_left()
    {
        QemuProgram.IsNeeded();
        var file = _folder.Write("vm.mig", "old");
        // By exec: and by file:, which later versions of QEMU are given.
        Directory.CreateDirectory(file + ".part");
        Directory.CreateDirectory(file + ".whole");
        await using var from = await StartAsync("from");
        var (code, _, output) = await CommandLine.Run("qemu", "save", file, "--qmp", from.QmpPath);
        Assert.True(code == 1, output);
        Assert.Equal("old", await File.ReadAllTextAsync(file));
        Assert.False(File.Exists(file + ".whole"));
        Assert.Single(output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_said_so()
    {
        var (code, _, output) = await CommandLine.Run("qemu", "save", _folder.At("x/vm.mig"), "--qmp", _folder.At("q"));
        Assert.Equal(2, code);
        Assert.Single(output.TrimEnd().Split('\n'));
    }

    private Task<QemuProcess> StartAsync(string name) =>
        QemuProcess.StartAsync(_folder, name, new QemuOptions { Rom = saved.Rom, RamMib = saved.RamMib });
}
