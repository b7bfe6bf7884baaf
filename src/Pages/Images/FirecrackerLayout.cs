namespace Userfault.Pages;

/// <summary>
/// Where Firecracker puts guest memory, so that a memory file needs no description beside it. Memory goes on behind
/// each hole for devices; in the file its pieces follow one another.
/// </summary>
public static class FirecrackerLayout
{
    /// <summary>Where x86's hole for devices begins, in bytes; it ends at 4 GiB.</summary>
    public const ulong X86HoleStart = 0xD000_0000;

    /// <summary>Where it begins in versions that know PCI.</summary>
    public const ulong X86PciHoleStart = 0xC000_0000;

    /// <summary>Where it ends.</summary>
    public const ulong X86HoleEnd = 0x1_0000_0000;

    /// <summary>Where the hole for 64-bit PCI devices begins.</summary>
    public const ulong PciHoleStart = 256UL << 30;

    /// <summary>Where it ends.</summary>
    public const ulong PciHoleEnd = 512UL << 30;

    /// <summary>Where arm64's memory begins.</summary>
    public const ulong Arm64Start = 0x8000_0000;

    /// <summary>The regions of an x86 guest of <paramref name="bytes"/> of memory, by versions without PCI.</summary>
    public static IReadOnlyList<ImageSegment> ForX86(ulong bytes) => Around(bytes, 0, (X86HoleStart, X86HoleEnd));

    /// <summary>The regions of an x86 guest by versions that know PCI, whether the guest has any or not.</summary>
    public static IReadOnlyList<ImageSegment> ForX86WithPci(ulong bytes) =>
        Around(bytes, 0, (X86PciHoleStart, X86HoleEnd), (PciHoleStart, PciHoleEnd));

    /// <summary>
    /// The regions of an arm64 guest. Versions without PCI give it no more memory than lies before the hole.
    /// </summary>
    public static IReadOnlyList<ImageSegment> ForArm64(ulong bytes) =>
        Around(bytes, Arm64Start, (PciHoleStart, PciHoleEnd));

    private static List<ImageSegment> Around(ulong bytes, ulong start, params (ulong Start, ulong End)[] holes)
    {
        var regions = new List<ImageSegment>();
        ulong offset = 0;
        foreach (var hole in holes)
        {
            var fits = Math.Min(bytes - offset, hole.Start - start);
            regions.Add(new ImageSegment(start, fits, offset));
            offset += fits;
            start = hole.End;
            if (offset == bytes)
                return regions;
        }

        regions.Add(new ImageSegment(start, bytes - offset, offset));
        return regions;
    }
}
