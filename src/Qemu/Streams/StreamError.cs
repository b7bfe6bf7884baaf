namespace Userfault.Qemu;

/// <summary>Why a saved stream is refused; part of every message, so that scripts can tell.</summary>
public enum StreamError
{
    /// <summary>The file does not begin as a stream does.</summary>
    NotAStream,

    /// <summary>A stream version other than 3.</summary>
    Version,

    /// <summary>No configuration behind the header: a machine type older than 2.4.</summary>
    NoConfiguration,

    /// <summary>A subsection of the configuration whose length is not known.</summary>
    UnknownSubsection,

    /// <summary>Saved with x-ignore-shared: memory is not in the file.</summary>
    IgnoreShared,

    /// <summary>A section that is sent in parts and is not RAM: a disk, dirty bitmaps, VFIO.</summary>
    ForeignSection,

    /// <summary>A device's state ahead of RAM.</summary>
    EarlyDevice,

    /// <summary>Pages as deltas.</summary>
    Xbzrle,

    /// <summary>Pages deflated.</summary>
    Compressed,

    /// <summary>RDMA.</summary>
    Hook,

    /// <summary>Pages that went through multifd channels and are not in the file.</summary>
    Multifd,

    /// <summary>The file ends before what it promises: cut off, or the save failed or still runs.</summary>
    CutOff,

    /// <summary>The bytes contradict themselves or the format.</summary>
    Corrupt,

    /// <summary>More than is read here: blocks, or bytes of memory.</summary>
    TooLarge,

    /// <summary>libvirt's save in a compressed format, or of an unknown version.</summary>
    LibvirtFormat,
}
