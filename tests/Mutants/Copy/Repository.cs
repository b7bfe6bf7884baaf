using System.Runtime.CompilerServices;

namespace Userfault.Mutants;

/// <summary>The working tree that mutants are made of: found from this source file.</summary>
internal static class Repository
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(SourceFolder(), "..", "..", ".."));

    /// <summary>A file below src/.</summary>
    public static string Source(string file) => Path.Combine(Root, "src", file);

    private static string SourceFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
