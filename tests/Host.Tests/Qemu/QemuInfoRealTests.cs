using System.Text.Json;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary><c>userfault qemu info</c> on a file that QEMU has saved.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed class QemuInfoRealTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Machine, memory and vCPUs are those of the saved guest: else QEMU refuses the file.</summary>
    [SkippableFact]
    public async Task QEMU_loads_the_guest_with_the_options_that_it_prints()
    {
        QemuProgram.IsNeeded();
        var run = await CommandLine.Run("qemu", "info", "--json", saved.Plain);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var info = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal("plain", info.GetProperty("kind").GetString());
        var destination = info.GetProperty("destination");
        Assert.Empty(destination.GetProperty("devices").EnumerateArray());
        var arguments = destination
            .GetProperty("arguments")
            .EnumerateArray()
            .Select(static a => a.GetString()!)
            .ToList();
        foreach (var own in new[] { "-qmp", "-incoming" })
            arguments.RemoveRange(arguments.IndexOf(own), 2);

        // The options that come later hold.
        await using var to = await QemuProcess.StartAsync(
            _folder,
            "to",
            new QemuOptions
            {
                Rom = saved.Rom,
                RamMib = saved.RamMib / 2,
                Machine = "q35",
                More = [.. arguments, "-incoming", $"exec:cat {saved.Plain}"],
            }
        );
        await Eventually.Holds(async () => await to.MigrationAsync() == "completed", () => to.Error);
        await to.ExecuteAsync("cont");
        await Eventually.Holds(() => to.Good > 0, () => to.Error);
        Assert.Equal(0, to.Bad);
    }

    [SkippableFact]
    public async Task It_tells_QEMUs_mapped_ram()
    {
        QemuProgram.MappedRamIsNeeded();
        var run = await CommandLine.Run("qemu", "info", "--json", saved.MappedRam);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var info = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal("mapped-ram", info.GetProperty("kind").GetString());
        Assert.Equal("not_needed", info.GetProperty("index").GetString());
    }
}
