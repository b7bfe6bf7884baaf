namespace Userfault.Qemu;

/// <summary>Where the index of a stream came from.</summary>
public enum IndexState
{
    /// <summary>mapped-ram: the file itself says where its pages are.</summary>
    NotNeeded,

    /// <summary>An earlier start has kept it.</summary>
    Found,

    /// <summary>Made now, by a pass over the file, and kept for the next start.</summary>
    Made,

    /// <summary>
    /// Made now, and not kept: no folder can be written to, or the file was changed less than 2 s ago.
    /// </summary>
    NotKept,
}
