using Userfault.Host.Tests.Cluster;
using Userfault.Pages;
using Userfault.Qemu;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Working sets of guests of a real QEMU: merged, bounded, and had from nodes.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed class WorkingSetRestoreTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task Recordings_of_several_guests_are_merged()
    {
        QemuProgram.IsNeededAsDestination();
        var recorded = _folder.At("recorded");
        for (var run = 1; run <= 2; run++)
        {
            await using var to = await saved.DestinationAsync(_folder, $"to{run}");
            using var restore = Restore(to, saved.Plain, "--record", recorded, "--record-merge");
            await to.ChecksAsync(50);
            restore.Command.Interrupt();
            await restore.EndAsync(130);
            File.Delete(_folder.At("to.sock"));
        }

        var set = WorkingSetFile.Read(recorded);
        Assert.Equal((2u, 1u), (set.Recordings, set.Generation));
        Assert.Contains(set.Entries, static entry => entry.Times == 2);
    }

    [SkippableFact]
    public async Task A_replay_is_bounded()
    {
        QemuProgram.IsNeededAsDestination();
        var set = SaveUntouched(40);
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(to, saved.Plain, "--replay", set, "--replay-limit", "40K");
        await IsPushedAsync(restore, 10);
    }

    [SkippableFact]
    public async Task A_working_set_is_had_from_a_node()
    {
        QemuProgram.IsNeededAsDestination();
        var set = SaveUntouched(40);
        using var source = await NodeProcess.Start("source", "--image", saved.Plain, "--working-set", set);
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(to, "--cluster", source.Serves, "--replay-shared", "--replay-limit", "15");
        await restore.Command.Line($"replays the working set of {source.Serves}: 40 pages");
        await IsPushedAsync(restore, 15);
    }

    // Nothing but the replay is pushed.
    private static async Task IsPushedAsync(RestoreProcess restore, int pages)
    {
        await restore.Command.Line($" {pages} pushed");
        restore.Command.Interrupt();
        var report = await restore.EndAsync(130);
        Assert.Equal(pages, report.GetProperty("pushedPages").GetInt32());
    }

    // A working set of pages that the guest does not touch: of the firmware's memory below 1 MiB.
    private string SaveUntouched(ulong pages)
    {
        using var image = QemuImage.Open(saved.Plain);
        var ram = image.Stream.Blocks.Single(static block => block.Name == "pc.ram");
        var path = _folder.At("untouched.set");
        var run = new MemoryPageRange(ram.FirstPage.Plus(0x20), pages);
        WorkingSetFile.Save(path, new WorkingSet(image.Identity, image.Pages, [run]));
        return path;
    }

    private RestoreProcess Restore(QemuProcess to, params string[] more) =>
        new(_folder, [.. more, "--to", $"unix:{_folder.At("to.sock")}", "--qmp", to.QmpPath, "--push", "none"]);
}
