using System.Diagnostics;

namespace Userfault.Tests;

/// <summary>Files that are no regular ones, and sparse ones.</summary>
internal static class Special
{
    /// <summary>Makes a pipe with a name; answers its path.</summary>
    public static string Pipe(string path)
    {
        using var make = Process.Start("mkfifo", [path]);
        make.WaitForExit();
        return make.ExitCode == 0 ? path : throw new InvalidOperationException($"mkfifo {path} failed");
    }

    /// <summary>
    /// Makes a file of zeros that takes no room, with some bytes of data in each of the pages named; answers its path.
    /// </summary>
    public static string Sparse(string path, long bytes, params ReadOnlySpan<long> pages)
    {
        using var file = File.Create(path);
        file.SetLength(bytes);
        foreach (var page in pages)
        {
            file.Position = page * 4096;
            file.Write([1, 2, 3]);
        }

        return path;
    }
}
