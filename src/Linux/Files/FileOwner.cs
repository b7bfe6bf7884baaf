namespace Userfault.Linux;

/// <summary>Whose a file is, by the numbers of users.</summary>
public static class FileOwner
{
    /// <summary>The user that may do everything.</summary>
    public const uint Root = 0;

    /// <summary>Of the files that this process makes.</summary>
    public static uint Mine => Libc.GetUser();

    /// <summary>Of an open file.</summary>
    /// <exception cref="LinuxException">The descriptor is none of a file.</exception>
    public static unsafe uint Of(OwnedFd fd)
    {
        ArgumentNullException.ThrowIfNull(fd);
        FileStatus status;
        Errors.Check(
            Libc.StatX(fd.Number, "", FileStatus.OfDescriptor, FileStatus.OwnerAlone, &status),
            "statx of a descriptor"
        );
        return status.Owner;
    }
}
