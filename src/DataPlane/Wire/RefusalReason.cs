namespace Userfault.DataPlane;

/// <summary>Why one end of the data plane disconnected the other. The numbers are the wire's.</summary>
public enum RefusalReason : ushort
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>The first bytes are not those of this protocol.</summary>
    NotThisProtocol = 1,

    /// <summary>No version is known to both ends.</summary>
    UnsupportedVersion = 2,

    // 3 was used by version 1 and is not used again.

    /// <summary>No source here has the requested image, or the other end has a different one.</summary>
    UnknownImage = 4,

    /// <summary>The maximum number of connections is open.</summary>
    TooManyConnections = 5,

    /// <summary>A frame breaks the format: type, length, reserved bits or order.</summary>
    BadFrame = 6,

    /// <summary>A request names pages that the image does not have.</summary>
    OutOfRange = 7,

    /// <summary>More is outstanding than was agreed.</summary>
    LimitExceeded = 8,

    /// <summary>The handshake, a frame, or the peer's reading took too long.</summary>
    TooSlow = 9,

    /// <summary>The server is shutting down; use another one.</summary>
    ShuttingDown = 10,

    /// <summary>Content does not match its checksum.</summary>
    BadChecksum = 11,

    /// <summary>A page that was not requested, arrived twice, or out of order.</summary>
    WrongPage = 12,

    /// <summary>Never on the wire: the connection could not be made, or was lost.</summary>
    ConnectionLost = 0x100,

    /// <summary>Never on the wire: this end closed it.</summary>
    Closed = 0x101,

    /// <summary>Never on the wire: TLS with the other end failed, or its certificate is not trusted.</summary>
    Untrusted = 0x102,
}
