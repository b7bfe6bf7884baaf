using Userfault.Linux;

namespace Userfault.Pages;

/// <summary>
/// What has become of the file behind an image since it was opened (<see cref="IMemoryImage.Change"/>).
/// </summary>
/// <param name="file">The file; not owned.</param>
internal sealed class FileChanges(MappedFile file)
{
    private readonly Lock _lock = new();
    private FileStamp? _seen = file.Stamp;

    /// <summary>Looks at the file now.</summary>
    /// <param name="image">
    /// The image that it is. Its identity is good for comparison only where it was made before the doubt: whoever
    /// serves an image has asked for it.
    /// </param>
    public ImageChange? Look(IMemoryImage image)
    {
        lock (_lock)
        {
            if (_seen is not { } seen || file.StampNow() is not { } now)
                return null;
            if (now.Bytes != seen.Bytes)
                return new ImageChange($"its size was {seen.Bytes} bytes and is {now.Bytes}", IsContent: true);
            // Its times can be set back, but not the time of its last change, which a new name or mode sets as well.
            // What is written to a device behind a file system's back leaves no trace but the content.
            var isDoubtful = now.ChangedNs != seen.ChangedNs || now.Kind == FileKind.BlockDevice;
            if (
                now.ModifiedNs != seen.ModifiedNs
                || (isDoubtful && ImageIdentity.SampleOf(image) != image.Identity.Sample)
            )
            {
                return new ImageChange("it was written to", IsContent: true);
            }
            _seen = now;
            return FileStamp.TryOf(file.Path) switch
            {
                null => new ImageChange("it was removed", IsContent: false),
                { } there when (there.Device, there.Inode) != (now.Device, now.Inode) => new ImageChange(
                    "another file took its place",
                    IsContent: false
                ),
                _ => null,
            };
        }
    }
}
