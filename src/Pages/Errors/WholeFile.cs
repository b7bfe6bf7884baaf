using Userfault.Linux;

namespace Userfault.Pages;

/// <summary>
/// Writes a file that is complete under its name, or not there at all. What is no regular file, a pipe or a device, is
/// written to and stays what it is; a symbolic link stays one, and the file that it leads to is written.
/// </summary>
public static class WholeFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="bytes">All that it is to hold.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(path);
        switch (FileStamp.TryOf(path)?.Kind)
        {
            case FileKind.Other:
                // Also /dev/stdout, which leads to no name that could be opened.
                using (var device = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0))
                    device.Write(bytes);
                return;
            case FileKind.BlockDevice:
                throw new IOException("it is a disk; name a file");
        }

        var target = TargetOf(path);
        var temporary = $"{target}.{Path.GetRandomFileName()}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>The file that a path leads to: where it is a symbolic link, what that names in the end.</summary>
    public static string TargetOf(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? path : file.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
    }
}
