namespace Userfault.Paging;

/// <summary>Why one end of the data plane would not go on with the other. The numbers are the wire's.</summary>
public enum RefusalReason : ushort
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>The first bytes are not those of this protocol.</summary>
    NotThisProtocol = 1,

    /// <summary>No version is known to both ends.</summary>
    UnsupportedVersion = 2,

    // 3 was version 1's, and is not used again.

    /// <summary>No source here has the image that was asked for, or the other end has a different one.</summary>
    UnknownImage = 4,

    /// <summary>As many connections as are allowed are open.</summary>
    TooManyConnections = 5,

    /// <summary>A frame breaks the format: type, length, reserved bits or order.</summary>
    BadFrame = 6,

    /// <summary>A request names pages that the image does not have.</summary>
    OutOfRange = 7,

    /// <summary>More is outstanding than was agreed.</summary>
    LimitExceeded = 8,

    /// <summary>The handshake, a frame, or the peer's reading took too long.</summary>
    TooSlow = 9,

    /// <summary>The server is going away; ask another one.</summary>
    ShuttingDown = 10,

    /// <summary>Content does not match its checksum.</summary>
    BadChecksum = 11,

    /// <summary>A page that was not asked for, twice, or out of order.</summary>
    WrongPage = 12,

    /// <summary>Never on the wire: the connection could not be made, or was lost.</summary>
    ConnectionLost = 0x100,

    /// <summary>Never on the wire: this end closed it.</summary>
    Closed = 0x101,

    /// <summary>Never on the wire: there is no TLS with the other end, or its certificate is not trusted.</summary>
    Untrusted = 0x102,
}
