namespace Userfault.Qemu;

/// <summary>
/// The lower 12 bits of a RAM record's first word (QEMU's <c>RAM_SAVE_FLAG_*</c>); the upper bits are an offset in
/// bytes within a RAM block.
/// </summary>
[Flags]
internal enum RamFlags : ulong
{
    /// <summary>A page of zeros: [block name], one byte.</summary>
    Zero = 0x002,

    /// <summary>The upper bits are the sum of all blocks; the block list follows.</summary>
    MemSize = 0x004,

    /// <summary>[block name], 4096 bytes.</summary>
    Page = 0x008,

    /// <summary>The section's content is over.</summary>
    Eos = 0x010,

    /// <summary>No block name: the block of the record before.</summary>
    Continue = 0x020,

    /// <summary>A delta against an earlier content.</summary>
    Xbzrle = 0x040,

    /// <summary>RDMA.</summary>
    Hook = 0x080,

    /// <summary>A page deflated by zlib.</summary>
    Compressed = 0x100,

    /// <summary>The multifd channels are to be read to here.</summary>
    MultifdFlush = 0x200,
}
