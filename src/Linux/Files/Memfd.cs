namespace Userfault.Linux;

/// <summary>
/// Memory as a file without a name (memfd_create), to be shared with another process by its descriptor.
/// </summary>
public static class Memfd
{
    /// <summary>F_SEAL_SHRINK: the file cannot get shorter, so a mapping of it never answers SIGBUS.</summary>
    public const int SealShrink = 0x2;

    /// <summary>F_SEAL_GROW: the file cannot get longer.</summary>
    public const int SealGrow = 0x4;

    private const uint CloseOnExec = 1;
    private const uint AllowSealing = 2;

    /// <summary>A new file of zeros that can neither shrink nor grow.</summary>
    /// <param name="name">A name for /proc.</param>
    /// <param name="bytes">Its size.</param>
    /// <exception cref="LinuxException">Out of memory or descriptors.</exception>
    public static OwnedFd Create(string name, ulong bytes)
    {
        var fd = new OwnedFd(Errors.Check(Libc.CreateMemfd(name, CloseOnExec | AllowSealing), "memfd_create"));
        try
        {
            Errors.Check(Libc.Truncate(fd.Number, checked((long)bytes)), $"ftruncate memfd to {bytes} bytes");
            Errors.Check(Libc.Fcntl(fd.Number, Libc.F_ADD_SEALS, SealShrink | SealGrow), "fcntl F_ADD_SEALS");
            return fd;
        }
        catch
        {
            fd.Dispose();
            throw;
        }
    }

    /// <summary>fallocate: all of the file gets its memory now, and no later write lacks any.</summary>
    /// <exception cref="LinuxException">Out of memory.</exception>
    public static void Allocate(OwnedFd fd, ulong bytes)
    {
        ArgumentNullException.ThrowIfNull(fd);
        Errors.Check(Libc.Allocate(fd.Number, 0, 0, checked((long)bytes)), $"fallocate memfd of {bytes} bytes");
    }

    /// <summary>Bytes of a file that have memory (or disk) behind them; -1 where that cannot be told.</summary>
    public static unsafe long AllocatedBytesOf(OwnedFd fd)
    {
        ArgumentNullException.ThrowIfNull(fd);
        FileStatus status;
        var error = Libc.StatX(fd.Number, "", FileStatus.OfDescriptor, FileStatus.BlocksAlone, &status);
        return error == 0 ? (long)status.Blocks * FileStatus.BlockBytes : -1;
    }

    /// <summary>Is it sealed against shrinking, or can it be, now?</summary>
    public static bool CannotShrink(OwnedFd fd)
    {
        ArgumentNullException.ThrowIfNull(fd);
        _ = Libc.Fcntl(fd.Number, Libc.F_ADD_SEALS, SealShrink);
        var seals = Libc.Fcntl(fd.Number, Libc.F_GET_SEALS, 0);
        return seals >= 0 && (seals & SealShrink) != 0;
    }

    /// <summary>
    /// Bytes of a file; -1 where it holds none. A guest_memfd has a size too, though no position to seek.
    /// </summary>
    public static unsafe long SizeOf(OwnedFd fd)
    {
        ArgumentNullException.ThrowIfNull(fd);
        FileStatus status;
        var error = Libc.StatX(fd.Number, "", FileStatus.OfDescriptor, FileStatus.TypeAndSize, &status);
        return error == 0 && status.IsRegular ? (long)status.Bytes : -1;
    }
}
