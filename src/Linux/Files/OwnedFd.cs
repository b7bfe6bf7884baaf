using Microsoft.Win32.SafeHandles;

namespace Userfault.Linux;

/// <summary>A file descriptor with one owner, who closes it; the finalizer does where the owner forgot.</summary>
public sealed class OwnedFd : SafeHandleMinusOneIsInvalid
{
    /// <summary>Takes ownership of <paramref name="fd"/>.</summary>
    public OwnedFd(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>The number; -1, which no call takes for another's, once this is disposed of.</summary>
    public int Number => IsClosed ? -1 : (int)handle;

    /// <summary>Another descriptor of the same open file, closed on exec.</summary>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    public OwnedFd Duplicate() => new(Errors.Check(Libc.Fcntl(Number, 1030, 0), "fcntl F_DUPFD_CLOEXEC"));

    /// <summary>Opens a file or a device, closed on exec.</summary>
    /// <exception cref="LinuxException">It cannot be opened.</exception>
    public static OwnedFd Open(string path, bool writable = true) =>
        new(
            Errors.Check(Libc.Open(path, (writable ? Libc.O_RDWR : Libc.O_RDONLY) | Libc.O_CLOEXEC, 0), $"open {path}")
        );

    /// <summary>
    /// What kind of file it is, as /proc names it: "anon_inode:[userfaultfd]", "/memfd:name (deleted)", a path.
    /// </summary>
    public unsafe string Describe()
    {
        var buffer = stackalloc byte[256];
        var length = Libc.ReadLink($"/proc/self/fd/{Number}", buffer, 256);
        return length < 0 ? "closed" : System.Text.Encoding.UTF8.GetString(buffer, (int)length);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
