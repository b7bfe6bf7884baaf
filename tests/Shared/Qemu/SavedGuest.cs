namespace Userfault.Tests;

/// <summary>
/// A guest that was saved once it had filled its memory, for all tests of a collection: as a plain stream, and with
/// pages at fixed offsets (mapped-ram) where this machine's QEMU can do that. Without a QEMU there are no files.
/// </summary>
public class SavedGuest : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Memory of the guest in MiB.</summary>
    public virtual int RamMib => 16;

    /// <summary>Does the guest write to the pages that it checks?</summary>
    public virtual bool Writes => true;

    /// <summary>The firmware.</summary>
    public string Rom => _folder.At("rom.bin");

    /// <summary>The plain stream.</summary>
    public string Plain => _folder.At("plain.mig");

    /// <summary>The stream with mapped-ram; there where <see cref="QemuProgram.HasMappedRam"/>.</summary>
    public string MappedRam => _folder.At("mapped.mig");

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        if (!QemuProgram.IsHere)
            return;
        File.WriteAllBytes(Rom, GuestRom.Assemble(RamMib, Writes));
        await using var qemu = await QemuProcess.StartAsync(
            _folder,
            "saved",
            new QemuOptions { Rom = Rom, RamMib = RamMib }
        );
        // Some pages were checked, so that random numbers and counters are not at their beginning.
        await Eventually.Holds(() => qemu.Good > 1, () => qemu.Error);
        Assert.Equal(0, qemu.Bad);
        await qemu.SaveAsync($"exec:cat>{Plain}");
        if (!QemuProgram.HasMappedRam)
            return;
        await qemu.SetCapabilitiesAsync(true, "mapped-ram");
        await qemu.ExecuteAsync("cont");
        await qemu.SaveAsync($"file:{MappedRam}");
    }

    /// <inheritdoc/>
    public Task DisposeAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The destination of a restore: a QEMU with the same machine.</summary>
    internal Task<QemuProcess> DestinationAsync(TemporaryFolder folder, string name = "to", params string[] more) =>
        QemuProcess.StartAsync(
            folder,
            name,
            new QemuOptions
            {
                Rom = Rom,
                RamMib = RamMib,
                IsIncoming = true,
                More = more,
            }
        );
}
