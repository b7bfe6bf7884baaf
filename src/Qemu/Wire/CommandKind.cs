namespace Userfault.Qemu;

/// <summary>Commands of a migration stream (QEMU's <c>MIG_CMD_*</c>) that a source of post-copy sends.</summary>
internal enum CommandKind : ushort
{
    /// <summary>The destination may write to the socket from here on.</summary>
    OpenReturnPath = 1,

    /// <summary>Comes back as <see cref="ReturnKind.Pong"/>.</summary>
    Ping = 2,

    /// <summary>Post-copy is meant: page sizes. The destination gives all of its RAM back.</summary>
    PostcopyAdvise = 3,

    /// <summary>The destination registers RAM with userfaultfd.</summary>
    PostcopyListen = 4,

    /// <summary>vCPUs run. Only inside a package.</summary>
    PostcopyRun = 5,

    /// <summary>Parts of a block are missing.</summary>
    PostcopyRamDiscard = 6,

    /// <summary>A length, and behind the command so many bytes that are a stream of their own.</summary>
    Packaged = 7,

    /// <summary>Recovery: the source is ready to go on.</summary>
    PostcopyResume = 9,

    /// <summary>Recovery: which pages of this block are there?</summary>
    RecvBitmap = 10,
}
