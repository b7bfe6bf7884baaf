using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>struct statx, as far as it is looked at: which kind of file, and how long.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStatus
{
    /// <summary>AT_EMPTY_PATH: of the descriptor itself.</summary>
    public const int OfDescriptor = 0x1000;

    /// <summary>STATX_TYPE and STATX_SIZE.</summary>
    public const uint TypeAndSize = 0x201;

    private const ushort TypeMask = 0xf000;
    private const ushort Regular = 0x8000;

    /// <summary>stx_mode.</summary>
    [FieldOffset(28)]
    public ushort Mode;

    /// <summary>stx_size, in bytes.</summary>
    [FieldOffset(40)]
    public ulong Bytes;

    /// <summary>A file that holds bytes: neither folder nor device, pipe nor socket.</summary>
    public readonly bool IsRegular => (Mode & TypeMask) == Regular;
}
