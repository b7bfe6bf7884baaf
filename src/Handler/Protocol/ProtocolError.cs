namespace Userfault.Handler;

/// <summary>How a monitor can break the protocol. Its name stands in messages, before what was sent.</summary>
public enum ProtocolError
{
    /// <summary>None of the others: the message alone says what.</summary>
    Other,

    /// <summary>A byte that begins no JSON object or array.</summary>
    Garbage,

    /// <summary>The bytes are no JSON.</summary>
    NotJson,

    /// <summary>
    /// A value of another kind than wanted: no array of regions, no object, half of a surrogate pair.
    /// </summary>
    WrongKind,

    /// <summary>A number that is no whole number in range.</summary>
    NotWholeNumber,

    /// <summary>A field that must be there is missing, or null, or out of range.</summary>
    FieldMissing,

    /// <summary>A JSON value longer than the protocol's values are.</summary>
    TooLong,

    /// <summary>The connection ended, or the time was over, before the handshake was whole.</summary>
    Incomplete,

    /// <summary>Bytes or descriptors came where nothing may come.</summary>
    Unexpected,

    /// <summary>No region, or more regions than there may be.</summary>
    RegionCount,

    /// <summary>A page size that is not served, or two of them, or a region of no page.</summary>
    RegionSize,

    /// <summary>An address, a size or an offset that is no multiple of the page size.</summary>
    NotAligned,

    /// <summary>A region outside the address space.</summary>
    OutsideAddressSpace,

    /// <summary>A region that ends past the image.</summary>
    PastImage,

    /// <summary>Regions that overlap in memory.</summary>
    OverlapInMemory,

    /// <summary>Regions that overlap in the memory file.</summary>
    OverlapInFile,

    /// <summary>Another number of descriptors than one, two or three.</summary>
    DescriptorCount,

    /// <summary>The first descriptor is no userfaultfd.</summary>
    NotUserfaultfd,

    /// <summary>The userfaultfd does not take a region.</summary>
    RegionRefused,

    /// <summary>The guest_memfd, or the memory file, is shorter than the regions.</summary>
    MemoryTooShort,

    /// <summary>The guest_memfd, or the memory file, cannot be written by a handler.</summary>
    MemoryNotWritable,

    /// <summary>The memory file could shrink under this process.</summary>
    MemoryCanShrink,

    /// <summary>The memory file is allocated, and the userfaultfd does not report touches of its pages.</summary>
    NoMinorFaults,

    /// <summary>The bitmap is shorter than one bit per page.</summary>
    BitmapTooShort,

    /// <summary>The bitmap's memfd could shrink under this process.</summary>
    BitmapCanShrink,

    /// <summary>A region, or a part of it, is not registered with the userfaultfd.</summary>
    NotRegistered,

    /// <summary>The userfaultfd reports forks: the memory of a child cannot be served.</summary>
    ForkEvents,
}
