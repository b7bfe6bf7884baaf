namespace Userfault.Paging;

/// <summary>Where Firecracker puts guest memory, so that a memory file needs no description beside it.</summary>
public static class FirecrackerLayout
{
    /// <summary>Where x86's hole for devices begins, in bytes; it ends at 4 GiB.</summary>
    public const ulong X86HoleStart = 0xD000_0000;

    /// <summary>Where it ends.</summary>
    public const ulong X86HoleEnd = 0x1_0000_0000;

    /// <summary>Where arm64's memory begins.</summary>
    public const ulong Arm64Start = 0x8000_0000;

    /// <summary>The regions of an x86 guest of <paramref name="bytes"/> of memory: below the hole, and the rest above it.</summary>
    public static IReadOnlyList<ImageSegment> ForX86(ulong bytes) => bytes <= X86HoleStart
        ? [new ImageSegment(0, bytes, 0)]
        : [new ImageSegment(0, X86HoleStart, 0), new ImageSegment(X86HoleEnd, bytes - X86HoleStart, X86HoleStart)];

    /// <summary>The one region of an arm64 guest.</summary>
    public static IReadOnlyList<ImageSegment> ForArm64(ulong bytes) => [new ImageSegment(Arm64Start, bytes, 0)];
}
