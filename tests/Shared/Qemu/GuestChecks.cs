namespace Userfault.Tests;

/// <summary>What tests expect of the guest in a QEMU.</summary>
internal static class GuestChecks
{
    /// <summary>Waits until the guest has found more pages good; fails at a bad one, and at the end of QEMU.</summary>
    /// <param name="qemu">Its QEMU.</param>
    /// <param name="more">How often 64 pages more.</param>
    public static async Task ChecksAsync(this QemuProcess qemu, int more)
    {
        var until = qemu.Good + more;
        await Eventually.Holds(
            () => qemu.HasEnded || qemu.Bad > 0 || qemu.Good >= until,
            () => $"{qemu.Good} of {until}; {qemu.Error}"
        );
        Assert.False(qemu.HasEnded, qemu.Error);
        Assert.Equal(0, qemu.Bad);
    }

    /// <summary>The migration is complete, and the guest runs and finds all pages good.</summary>
    /// <param name="qemu">Its QEMU.</param>
    /// <param name="checks">How often 64 pages more; 1000 are so many that it looks at every page of 16 MiB.</param>
    public static async Task IsCompleteAsync(this QemuProcess qemu, int checks = 1000)
    {
        await Eventually.Holds(async () => await qemu.MigrationAsync() == "completed", () => qemu.Error);
        await qemu.ChecksAsync(checks);
    }
}
