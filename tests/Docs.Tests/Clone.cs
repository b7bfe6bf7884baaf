using System.Runtime.InteropServices;

namespace Userfault.Docs.Tests;

/// <summary>
/// A temporary folder that stands for a fresh clone: what the repository holds is linked into it, and what a build
/// would make leads to the programs beside the tests. The command <c>dotnet</c> is a script there: <c>dotnet run</c>
/// runs what is built already, other verbs check that what they name exists.
/// </summary>
internal sealed class Clone : IDisposable
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly string DotNet = Path.GetFullPath(
        Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet")
    );

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("userfault-docs-");

    public Clone()
    {
        foreach (var entry in new DirectoryInfo(Repository.Root).EnumerateFileSystemInfos())
        {
            // Commands run the built userfault by its path below src/Host: that room is made by hand.
            if (entry.Name is not ("src" or ".git"))
                Link(entry, Root);
        }

        foreach (var room in new DirectoryInfo(Repository.At("src")).EnumerateDirectories())
        {
            if (room.Name != "Host")
                Link(room, Path.Combine(Root, "src"));
        }

        foreach (var file in new DirectoryInfo(Repository.At("src/Host")).EnumerateFiles())
        {
            Link(file, Path.Combine(Root, "src", "Host"));
        }

        Write(
            "clone/src/Host/bin/Release/net10.0/userfault",
            $"""
            #!/usr/bin/env bash
            exec {DotNet} exec {Repository.Built}userfault.dll "$@"
            """
        );
        Write("tools/dotnet", Script());
        Directory.CreateDirectory(Home);
    }

    /// <summary>The folder in which commands are typed.</summary>
    public string Root => Path.Combine(_folder.FullName, "clone");

    /// <summary>The reader's home folder.</summary>
    public string Home => Path.Combine(_folder.FullName, "home");

    /// <summary>Goes in front of PATH.</summary>
    public string Tools => Path.Combine(_folder.FullName, "tools");

    public void Dispose() => _folder.Delete(recursive: true);

    private static void Link(FileSystemInfo entry, string folder)
    {
        Directory.CreateDirectory(folder);
        File.CreateSymbolicLink(Path.Combine(folder, entry.Name), entry.FullName);
    }

    private void Write(string path, string script)
    {
        var file = Path.Combine(_folder.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, script);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, Executable);
    }

    private static string Script() =>
        $$"""
            #!/usr/bin/env bash
            set -euo pipefail
            verb=$1
            shift
            words=()
            project=
            output=
            while [ $# -gt 0 ]; do
              case $1 in
                --) shift; break ;;
                -c | --filter) shift 2 ;;
                -o) output=$2; shift 2 ;;
                --project) project=$2; shift 2 ;;
                *) words+=("$1"); shift ;;
              esac
            done
            exists() { [ -e "$1" ] || { echo "dotnet $verb: $1 does not exist" >&2; exit 1; }; }
            for word in ${words[@]+"${words[@]}"}; do
              case $word in
                reference | console) ;;
                *) [ "$verb" = new ] || exists "$word" ;;
              esac
            done
            case $verb in
              build | test | add) ;;
              new) mkdir -p "$output" ;;
              run)
                exists "$project"
                case $project in
                  src/Host) program=userfault ;;
                  samples/*) program=Userfault.${project#samples/} ;;
                  *) echo "dotnet run: $project is no program that documents run" >&2; exit 1 ;;
                esac
                exec {{DotNet}} exec {{Repository.Built}}$program.dll "$@" ;;
              *) echo "dotnet $verb: no verb that documents use" >&2; exit 1 ;;
            esac
            """;
}
