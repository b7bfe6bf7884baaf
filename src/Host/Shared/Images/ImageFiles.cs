using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>Opens the files that are given as images, of every kind that there is.</summary>
internal static class ImageFiles
{
    /// <summary>The kinds, for descriptions of options.</summary>
    public const string Kinds =
        "a raw file such as Firecracker's memory file, an ELF core of QEMU's dump-guest-memory, or a stream saved by "
        + "QEMU's migrate or virsh save";

    private static readonly (string Name, Func<string, IMemoryImage> Open)[] Formats =
    [
        ("auto", Open),
        ("raw", MemoryImages.OpenRaw),
        ("elf", MemoryImages.OpenElfCore),
        ("qemu", QemuImage.Open),
        ("firecracker", static path => MemoryImages.OpenFirecracker(path, FirecrackerLayout.ForX86)),
        ("firecracker-pci", static path => MemoryImages.OpenFirecracker(path, FirecrackerLayout.ForX86WithPci)),
        ("firecracker-arm64", static path => MemoryImages.OpenFirecracker(path, FirecrackerLayout.ForArm64)),
    ];

    /// <summary>Opens a file by what it begins with.</summary>
    /// <exception cref="PagingException">It cannot be used.</exception>
    public static IMemoryImage Open(string path) =>
        QemuImage.IsStream(path) ? QemuImage.Open(path) : MemoryImages.Open(path);

    /// <summary>Opens a file as what it is said to be.</summary>
    /// <param name="path">The file.</param>
    /// <param name="option">The option that says so.</param>
    /// <param name="format">What was said; null: what it begins with decides.</param>
    /// <exception cref="CliException">No such format.</exception>
    /// <exception cref="PagingException">It cannot be used.</exception>
    public static IMemoryImage Open(string path, string option, string? format)
    {
        var open = Formats.FirstOrDefault(known => known.Name == (format ?? Formats[0].Name)).Open;
        return open is not null
            ? open(path)
            : throw Units.Bad(option, format!, $"one of {string.Join(", ", Formats.Select(static f => f.Name))}");
    }
}
