using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Guests of a real QEMU that lose their source while they run.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed class RecoveryTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Where nothing is pushed, no restore ends: some pages are not requested by any guest.
    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_guest_survives_two_sources_that_are_killed(bool hasPreempt)
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        string[] preempt = hasPreempt ? ["--preempt"] : [];
        using (var first = Restore(to, ["--push", "none", .. preempt]))
        {
            await to.ChecksAsync(3);
            first.Command.Kill();
            await first.Command.End();
        }
        using (var second = Restore(to, ["--recover", "--push", "none", .. preempt]))
        {
            await Eventually.Holds(async () => await to.MigrationAsync() == "postcopy-active", second.Command.All);
            await to.ChecksAsync(3);
            second.Command.Kill();
            await second.Command.End();
        }
        // The third time by hand.
        await Eventually.Holds(async () => await to.MigrationAsync() == "postcopy-paused", () => to.Error);
        var address = $"unix:{_folder.At("by-hand")}";
        await to.ExecuteAsync("migrate-recover", new() { ["uri"] = address });
        using var third = new RestoreProcess(_folder, [saved.Plain, "--to", address, "--recover", .. preempt]);
        var report = await third.EndAsync(0);
        Assert.Equal("completed", report.GetProperty("end").GetString());
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task A_connection_that_breaks_is_made_again_by_itself()
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        using (var restore = Restore(to, "--push", "none"))
        {
            for (var i = 1; i <= 2; i++)
            {
                await to.ChecksAsync(2);
                await Eventually.Holds(async () => await to.MigrationAsync() == "postcopy-active", restore.Command.All);
                await to.ExecuteAsync("migrate-pause");
                await restore.Command.Line("recovering to");
            }
            await to.ChecksAsync(2);
            restore.Command.Interrupt();
            var report = await restore.EndAsync(130);
            Assert.Equal(2, report.GetProperty("recoveries").GetInt32());
        }
        using var last = Restore(to, "--recover");
        await last.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task A_destination_that_dies_ends_the_restore()
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(to, "--push", "none");
        await to.ChecksAsync(2);
        await to.DisposeAsync();
        await restore.FailureAsync("closed", "start QEMU anew");
    }

    private RestoreProcess Restore(QemuProcess to, params string[] more) =>
        new(_folder, [saved.Plain, "--to", $"unix:{_folder.At("to.sock")}", "--qmp", to.QmpPath, .. more]);
}
