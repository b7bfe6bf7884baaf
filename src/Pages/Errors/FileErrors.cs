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

    private static string FirstLine(Exception e) => e.Message.Split('\n')[0].Trim().TrimEnd('.');
}
