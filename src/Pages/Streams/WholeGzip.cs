using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace Userfault.Pages;

/// <summary>
/// A gzip file, of one member or several behind each other, read to its end or not at all. The base library takes a
/// file that was cut off for one that ends there, unless it is told to be strict, and it is told so once, before its
/// first use in a process: by this module when it is loaded, and by the build for programs of this tree.
/// </summary>
internal static class WholeGzip
{
    private const string Strict = "System.IO.Compression.UseStrictValidation";

    /// <summary>What the file holds; owns the file from here on.</summary>
    public static Stream Of(FileStream file) => new GZipStream(file, CompressionMode.Decompress);

    /// <summary>Does the file begin as gzip does? Leaves it at its start.</summary>
    public static bool IsGzip(FileStream file)
    {
        Span<byte> magic = stackalloc byte[2];
        var read = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return read == magic.Length && magic[0] == 0x1f && magic[1] == 0x8b;
    }

    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage(
        "Usage",
        "CA2255",
        Justification = "The library reads the switch once, when it is first used, which may be before this type is."
    )]
    internal static void BeStrict() => AppContext.SetSwitch(Strict, true);
}
