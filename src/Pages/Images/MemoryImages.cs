using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>Opens images.</summary>
public static unsafe class MemoryImages
{
    /// <summary>
    /// Opens a file by what it begins with: an ELF core, or else a raw image. Kinds of files that are known not to be
    /// memory as it is are refused; <see cref="OpenRaw(string)"/> takes even those.
    /// </summary>
    /// <exception cref="PagingException">The file is missing, unusable, truncated or of another kind.</exception>
    public static IMemoryImage Open(string path) =>
        OpenWith(
            path,
            static file =>
            {
                if (ElfCore.IsElf(file.Bytes, file.Length))
                    return OpenElfCore(file);
                ForeignFormats.Refuse(
                    file.Path,
                    new ReadOnlySpan<byte>(file.Bytes, (int)Math.Min(file.Length, Page.Size))
                );
                return OpenRaw(file);
            }
        );

    /// <summary>Opens a raw file: byte n is guest physical byte n. Its size must be a multiple of 4096.</summary>
    /// <exception cref="PagingException">The file is missing, unusable or of an odd size.</exception>
    public static FileImage OpenRaw(string path) => OpenWith(path, OpenRaw);

    /// <summary>Opens an ELF core as QEMU's dump-guest-memory writes it.</summary>
    /// <exception cref="PagingException">The file is missing, unusable, truncated or no such core.</exception>
    public static FileImage OpenElfCore(string path) => OpenWith(path, OpenElfCore);

    /// <summary>
    /// Opens a Firecracker memory file: raw, the guest's regions one after another. Without regions the x86 layout
    /// counts: one region, split by the hole below 4 GiB where the guest is bigger (<see cref="FirecrackerLayout"/>).
    /// </summary>
    /// <param name="path">The memory file of a snapshot.</param>
    /// <param name="regions">Segments by guest physical address; null for the usual layout.</param>
    /// <exception cref="PagingException">The file is missing or unusable, or a region does not fit it.</exception>
    public static FileImage OpenFirecracker(string path, IReadOnlyList<ImageSegment>? regions = null) =>
        OpenFirecracker(path, bytes => regions ?? FirecrackerLayout.ForX86(bytes));

    /// <summary>Opens a Firecracker memory file by a layout of <see cref="FirecrackerLayout"/>.</summary>
    /// <param name="path">The memory file of a snapshot.</param>
    /// <param name="layout">Segments by guest physical address, of a guest of so many bytes.</param>
    /// <exception cref="PagingException">The file is missing or unusable, or a region does not fit it.</exception>
    public static FileImage OpenFirecracker(string path, Func<ulong, IReadOnlyList<ImageSegment>> layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return OpenWith(path, file => OpenRegions(file, layout(file.Length)));
    }

    private static T OpenWith<T>(string path, Func<MappedFile, T> open)
        where T : IMemoryImage
    {
        ArgumentNullException.ThrowIfNull(path);
        var file = MappedFile.Open(path);
        try
        {
            return open(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static FileImage OpenRaw(MappedFile file)
    {
        RequireWholePages(file.Path, "its size", file.Length);
        return Image(file, ImageKind.Raw, [new ImageSegment(0, file.Length, 0)]);
    }

    private static FileImage OpenElfCore(MappedFile file)
    {
        var segments = ElfCore.Parse(file.Path, file.Bytes, file.Length, out var ranges);
        return new FileImage(file, ImageKind.ElfCore, segments, ranges);
    }

    private static FileImage OpenRegions(MappedFile file, IReadOnlyList<ImageSegment> regions)
    {
        foreach (var region in regions)
        {
            RequireWholePages(file.Path, "the start of a region", region.Start, zeroIsFine: true);
            RequireWholePages(file.Path, "the length of a region", region.Length);
            RequireWholePages(file.Path, "the file offset of a region", region.FileOffset, zeroIsFine: true);
        }
        var segments = SegmentMap.Normalize(file.Path, regions, file.Length);
        return Image(file, ImageKind.Firecracker, segments);
    }

    private static FileImage Image(MappedFile file, ImageKind kind, ImageSegment[] segments) =>
        new(file, kind, segments, PageRanges.Of(segments.Select(static s => (s.Start, s.End))));

    private static void RequireWholePages(string path, string what, ulong bytes, bool zeroIsFine = false)
    {
        if ((bytes & Page.OffsetMask) != 0 || (bytes == 0 && !zeroIsFine))
        {
            throw new PagingException(
                PagingError.BadSize,
                path,
                $"{what} ({bytes} bytes) is not a whole number of 4096-byte pages",
                "give an uncut memory image"
            );
        }
    }
}
