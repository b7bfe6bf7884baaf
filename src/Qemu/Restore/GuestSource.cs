using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// What guests are restored from: a saved stream's description, its devices' state, and contents of pages. Shared by
/// all guests that are restored from it.
/// </summary>
public sealed class GuestSource
{
    private readonly Func<IPageContents> _open;

    internal GuestSource(SavedStream stream, ReadOnlyMemory<byte> devices, Func<IPageContents> open)
    {
        (Stream, Devices, _open) = (stream, devices, open);
    }

    /// <summary>What the file holds beside its pages.</summary>
    public SavedStream Stream { get; }

    /// <summary>The state of the devices, as the destination must get it.</summary>
    public ReadOnlyMemory<byte> Devices { get; }

    /// <summary>Which image the pages are of.</summary>
    public required ImageIdentity Image { get; init; }

    /// <summary>How people call it.</summary>
    public required string Name { get; init; }

    /// <summary>Guests out of a file in this process.</summary>
    /// <param name="image">The file; the caller's, open for as long as guests are restored from it.</param>
    /// <param name="time">The clock by which the file is looked at.</param>
    public static GuestSource Of(QemuImage image, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(image);
        return new GuestSource(image.Stream, image.DeviceState.ToArray(), () => new ImageContents(image, time))
        {
            Image = image.Identity,
            Name = image.Name,
        };
    }

    /// <summary>Contents for one guest.</summary>
    internal IPageContents Open() => _open();
}
