using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>
/// struct statx, as far as it is looked at: which kind of file, which file, how long, and when it changed.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStatus
{
    /// <summary>AT_EMPTY_PATH: of the descriptor itself.</summary>
    public const int OfDescriptor = 0x1000;

    /// <summary>STATX_TYPE and STATX_SIZE.</summary>
    public const uint TypeAndSize = 0x201;

    /// <summary>STATX_BLOCKS.</summary>
    public const uint BlocksAlone = 0x400;

    /// <summary>Bytes of a block of stx_blocks.</summary>
    public const int BlockBytes = 512;

    /// <summary>STATX_UID.</summary>
    public const uint OwnerAlone = 0x8;

    /// <summary>STATX_TYPE, STATX_MTIME, STATX_CTIME, STATX_INO and STATX_SIZE.</summary>
    public const uint Identifying = 0x3c1;

    private const ushort TypeMask = 0xf000;
    private const ushort Folder = 0x4000;
    private const ushort BlockDevice = 0x6000;
    private const ushort Regular = 0x8000;

    /// <summary>stx_uid.</summary>
    [FieldOffset(20)]
    public uint Owner;

    /// <summary>stx_mode.</summary>
    [FieldOffset(28)]
    public ushort Mode;

    /// <summary>stx_ino.</summary>
    [FieldOffset(32)]
    public ulong Inode;

    /// <summary>stx_size, in bytes.</summary>
    [FieldOffset(40)]
    public ulong Bytes;

    /// <summary>stx_blocks, in 512 bytes.</summary>
    [FieldOffset(48)]
    public ulong Blocks;

    /// <summary>stx_ctime, seconds.</summary>
    [FieldOffset(96)]
    public long ChangedSeconds;

    /// <summary>stx_ctime, the rest in ns.</summary>
    [FieldOffset(104)]
    public uint ChangedNs;

    /// <summary>stx_mtime, seconds.</summary>
    [FieldOffset(112)]
    public long ModifiedSeconds;

    /// <summary>stx_mtime, the rest in ns.</summary>
    [FieldOffset(120)]
    public uint ModifiedNs;

    /// <summary>stx_dev_major.</summary>
    [FieldOffset(136)]
    public uint DeviceMajor;

    /// <summary>stx_dev_minor.</summary>
    [FieldOffset(140)]
    public uint DeviceMinor;

    /// <summary>A folder.</summary>
    public readonly bool IsFolder => (Mode & TypeMask) == Folder;

    /// <summary>A block device.</summary>
    public readonly bool IsBlockDevice => (Mode & TypeMask) == BlockDevice;

    /// <summary>A file that holds bytes: neither folder nor device, pipe nor socket.</summary>
    public readonly bool IsRegular => (Mode & TypeMask) == Regular;
}
