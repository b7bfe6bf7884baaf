namespace Userfault.Linux;

/// <summary>What kind of file something is.</summary>
public enum FileKind
{
    /// <summary>A pipe, a socket, a character device.</summary>
    Other,

    /// <summary>A regular file.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A block device, such as a disk or a logical volume.</summary>
    BlockDevice,
}
