using System.Runtime.CompilerServices;

namespace Userfault.Docs.Tests;

/// <summary>The working tree, found from this source file, so that no test depends on a current folder.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(SourceFolder(), "..", ".."));

    /// <summary>The folder of the programs that were built beside the tests.</summary>
    public static string Built => AppContext.BaseDirectory;

    /// <summary>A path in the working tree.</summary>
    public static string At(string path) => Path.Combine(Root, path);

    /// <summary>Is there a file or a folder with this path?</summary>
    public static bool Has(string path) => File.Exists(At(path)) || Directory.Exists(At(path));

    private static string SourceFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
