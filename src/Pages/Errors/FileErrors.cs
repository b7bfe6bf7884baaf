using Userfault.Linux;

namespace Userfault.Pages;

/// <summary>Says in this room's words what the base library says about a path.</summary>
internal static class FileErrors
{
    /// <summary>
    /// The one-line error for what opening or reading <paramref name="path"/> threw; null where it is not that.
    /// </summary>
    public static PagingException? Explain(Exception e, string path) =>
        e switch
        {
            FileNotFoundException or DirectoryNotFoundException => new PagingException(
                PagingError.FileMissing,
                path,
                "no such file",
                "check the path",
                e
            ),
            UnauthorizedAccessException when Directory.Exists(path) => new PagingException(
                PagingError.FileUnusable,
                path,
                "is a directory",
                "give a file",
                e
            ),
            UnauthorizedAccessException => new PagingException(
                PagingError.FileUnusable,
                path,
                "permission denied",
                "check the file's permissions",
                e
            ),
            // An empty path, a path with a null character, a pipe or a device that has no length.
            ArgumentException or NotSupportedException => new PagingException(
                PagingError.FileUnusable,
                path,
                "not a path of a regular file",
                "give a regular file",
                e
            ),
            IOException => new PagingException(
                PagingError.FileUnusable,
                path,
                FirstLine(e),
                "check the file and its disk",
                e
            ),
            _ => null,
        };

    /// <summary>
    /// Refuses what has no size before it is opened: to open a pipe waits for whoever writes to it.
    /// </summary>
    public static void RefuseOtherKinds(string path)
    {
        if (OperatingSystem.IsLinux() && FileStamp.TryOf(path) is { Kind: FileKind.Folder or FileKind.Other } other)
        {
            throw WrongKind(path, other.Kind);
        }
    }

    /// <summary>The one-line error for what a call on a file answered.</summary>
    public static PagingException Explain(LinuxErrno error, string path) =>
        error switch
        {
            LinuxErrno.ENOENT or LinuxErrno.ENOTDIR => Explain(new FileNotFoundException(), path)!,
            LinuxErrno.EACCES or LinuxErrno.EPERM => Explain(new UnauthorizedAccessException(), path)!,
            // A socket's file cannot be opened at all.
            LinuxErrno.ENXIO => WrongKind(path, FileKind.Other),
            _ => Explain(new IOException($"{error}"), path)!,
        };

    /// <summary>The one-line error for something that is there and is no file of bytes.</summary>
    public static PagingException WrongKind(string path, FileKind kind) =>
        kind == FileKind.Folder
            ? new PagingException(PagingError.FileUnusable, path, "is a directory", "give a file")
            : new PagingException(
                PagingError.FileUnusable,
                path,
                "is a pipe, a socket or a character device, which has no size",
                "give a regular file or a block device"
            );

    private static string FirstLine(Exception e) => e.Message.Split('\n')[0].Trim().TrimEnd('.');
}
