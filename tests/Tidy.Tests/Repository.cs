using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Userfault.Tidy.Tests;

/// <summary>
/// The working tree as the rules see it: found from this source file, so that no test depends on a current folder.
/// </summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(SourceFolder(), "..", ".."));

    /// <summary>Rooms below src/, by name.</summary>
    public static IReadOnlyList<string> SourceRooms { get; } =
    [
        .. Directory
            .GetDirectories(Path.Combine(Root, "src"))
            .Select(d => Path.GetFileName(d)!)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Source files below a folder of the repository, build output left out.</summary>
    public static IEnumerable<string> SourceFiles(params string[] folders) =>
        folders
            .Select(f => Path.Combine(Root, f))
            .Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*.cs", SearchOption.AllDirectories))
            .Where(f => !IsBuildOutput(f))
            .Order(StringComparer.Ordinal);

    /// <summary>The names of the projects that a room's project file refers to.</summary>
    public static IReadOnlyList<string> ProjectReferences(string room) =>
        ItemsOf(room, "ProjectReference").Select(i => Path.GetFileNameWithoutExtension(i.Replace('\\', '/'))).ToList();

    /// <summary>The packages and raw references that a room's project file names.</summary>
    public static IReadOnlyList<string> Packages(string room) =>
        [.. ItemsOf(room, "PackageReference"), .. ItemsOf(room, "Reference")];

    /// <summary>A property of a room's project file; null where it is not set.</summary>
    public static string? Property(string room, string name) =>
        Load(room).Descendants(name).Select(e => e.Value).LastOrDefault();

    /// <summary>A path as a reader of the repository would write it.</summary>
    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static IEnumerable<string> ItemsOf(string room, string item) =>
        Load(room).Descendants(item).Select(e => e.Attribute("Include")?.Value ?? "").Where(v => v.Length > 0);

    private static XDocument Load(string room) => XDocument.Load(Path.Combine(Root, "src", room, room + ".csproj"));

    private static bool IsBuildOutput(string path) => Relative(path).Split('/').Any(part => part is "obj" or "bin");

    private static string SourceFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
