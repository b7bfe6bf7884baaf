namespace Userfault.DataPlane;

/// <summary>
/// The type of a frame of the page data plane (byte 4 of its header; docs/data-plane.md). The numbers are the wire's
/// and never change meaning; an unknown number ends the connection.
/// </summary>
internal enum FrameType : byte
{
    // Handshake, in this order.
    Greeting = 0x01,
    Hello = 0x02,
    Welcome = 0x03,
    Refused = 0x04,

    // Client to server.
    Request = 0x10,
    Cancel = 0x11,
    Ping = 0x12,
    List = 0x13,

    // Server to client.
    Data = 0x20,
    Zero = 0x21,
    Duplicate = 0x22,
    End = 0x23,
    Pong = 0x24,
    Sources = 0x25,
}
