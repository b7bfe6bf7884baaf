using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Userfault.Kernel.Tests.Machine;

/// <summary>
/// The .NET runtime that runs this process, and the system libraries that it needs: copied into the initramfs, so that
/// the emulated kernel runs the very code of this machine and nothing has to be published for it.
/// </summary>
internal static partial class HostRuntime
{
    /// <summary>Where it lies inside.</summary>
    public const string Root = "dotnet";

    /// <summary>Where its libraries lie inside: the folder of LD_LIBRARY_PATH.</summary>
    public const string Libraries = "lib64";

    /// <summary>Adds all of it.</summary>
    public static async Task AddToAsync(CpioArchive archive)
    {
        var runtime = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        var root = Path.GetFullPath(Path.Combine(runtime, "../../.."));
        var resolvers = Path.Combine(root, "host/fxr");
        archive.AddFile($"{Root}/dotnet", Path.Combine(root, "dotnet"));
        archive.AddTree($"{Root}/host/fxr", resolvers);
        archive.AddTree($"{Root}/{Path.GetRelativePath(root, runtime)}", runtime);

        string[] programs =
        [
            Path.Combine(root, "dotnet"),
            .. Directory.GetFiles(resolvers, "*.so", SearchOption.AllDirectories),
            .. new[] { "libcoreclr.so", "libclrjit.so", "libSystem.Native.so", "libhostpolicy.so" }.Select(name =>
                Path.Combine(runtime, name)
            ),
            .. Cryptography(),
        ];
        foreach (var program in Cryptography())
            archive.AddFile($"{Libraries}/{Path.GetFileName(program)}", program);
        foreach (var line in (await Tool.RunAsync("ldd", programs)).Split('\n'))
        {
            if (Library().Match(line) is { Success: true } library)
                archive.AddFile($"{Libraries}/{library.Groups["name"]}", library.Groups["path"].Value);
            else if (Loader().Match(line) is { Success: true } loader)
                archive.AddFile(loader.Groups["path"].Value[1..], loader.Groups["path"].Value);
        }
    }

    /// <summary>
    /// OpenSSL, which .NET loads by itself when it is first needed: the one that it has loaded here.
    /// </summary>
    private static string[] Cryptography()
    {
        _ = RandomNumberGenerator.GetInt32(2);
        return
        [
            .. File.ReadLines("/proc/self/maps")
                .Select(static line => line[(line.LastIndexOf(' ') + 1)..])
                .Where(static path => IsOpenSsl(Path.GetFileName(path)))
                .Distinct(),
        ];
    }

    private static bool IsOpenSsl(string name) =>
        name.StartsWith("libssl.so", StringComparison.Ordinal)
        || name.StartsWith("libcrypto.so", StringComparison.Ordinal);

    [GeneratedRegex(@"^\s+(?<name>\S+) => (?<path>/\S+) \(")]
    private static partial Regex Library();

    [GeneratedRegex(@"^\s+(?<path>/\S+) \(")]
    private static partial Regex Loader();
}
