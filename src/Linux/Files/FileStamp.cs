namespace Userfault.Linux;

/// <summary>
/// Which file something is, and in which state: a file that is replaced by another, or written to, has another one.
/// </summary>
/// <param name="Kind">What kind of file.</param>
/// <param name="Device">The device of its file system.</param>
/// <param name="Inode">Its number there.</param>
/// <param name="Bytes">Its size; 0 for a device.</param>
/// <param name="ModifiedNs">When its content changed last (mtime), in ns.</param>
/// <param name="ChangedNs">When anything of it changed last (ctime), in ns; cannot be set back.</param>
public readonly record struct FileStamp(
    FileKind Kind,
    ulong Device,
    ulong Inode,
    ulong Bytes,
    long ModifiedNs,
    long ChangedNs
)
{
    // Clocks of file systems tick every 2 s (FAT), every second (NFS version 2), or with the kernel's timer.
    private static readonly TimeSpan CoarsestTick = TimeSpan.FromSeconds(2);

    private const long NsPerSecond = 1_000_000_000;
    private const int SeekEnd = 2;

    // AT_FDCWD: paths are relative to the current folder.
    private const int CurrentFolder = -100;

    /// <summary>Of an open file.</summary>
    /// <exception cref="LinuxException">The descriptor is none of a file.</exception>
    public static unsafe FileStamp Of(OwnedFd fd)
    {
        ArgumentNullException.ThrowIfNull(fd);
        FileStatus status;
        Errors.Check(
            Libc.StatX(fd.Number, "", FileStatus.OfDescriptor, FileStatus.Identifying, &status),
            "statx of a descriptor"
        );
        return Of(status);
    }

    /// <summary>Of what a path names now; null where that is nothing that can be looked at.</summary>
    public static unsafe FileStamp? TryOf(string path)
    {
        FileStatus status;
        return Libc.StatX(CurrentFolder, path, 0, FileStatus.Identifying, &status) == 0 ? Of(status) : null;
    }

    /// <summary>How many bytes there are to map: a block device's size is where its end is.</summary>
    /// <exception cref="LinuxException">It has no end.</exception>
    public ulong LengthOf(OwnedFd fd)
    {
        ArgumentNullException.ThrowIfNull(fd);
        return Kind == FileKind.BlockDevice
            ? (ulong)Errors.Check((nint)Libc.Seek(fd.Number, 0, SeekEnd), "lseek to the device's end")
            : Bytes;
    }

    /// <summary>
    /// Will every later change give it another stamp? One that was changed shortly before may be changed again within
    /// the same tick of its clock.
    /// </summary>
    public bool IsSettledAt(DateTimeOffset now) =>
        now - DateTimeOffset.UnixEpoch.AddTicks(ChangedNs / 100) > CoarsestTick;

    private static FileStamp Of(in FileStatus status) =>
        new(
            status.IsRegular ? FileKind.Regular
                : status.IsFolder ? FileKind.Folder
                : status.IsBlockDevice ? FileKind.BlockDevice
                : FileKind.Other,
            ((ulong)status.DeviceMajor << 32) | status.DeviceMinor,
            status.Inode,
            status.IsRegular ? status.Bytes : 0,
            (status.ModifiedSeconds * NsPerSecond) + status.ModifiedNs,
            (status.ChangedSeconds * NsPerSecond) + status.ChangedNs
        );
}
