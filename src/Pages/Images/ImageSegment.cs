namespace Userfault.Pages;

/// <summary>
/// A run of guest physical memory that stands in an image file. What no segment covers reads as zero.
/// </summary>
/// <param name="Start">Guest physical address of its first byte.</param>
/// <param name="Length">Bytes; more than 0.</param>
/// <param name="FileOffset">Where in the file it stands, in bytes.</param>
public readonly record struct ImageSegment(ulong Start, ulong Length, ulong FileOffset)
{
    /// <summary>Guest physical address behind its last byte.</summary>
    public ulong End => Start + Length;
}
