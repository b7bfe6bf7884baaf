namespace Userfault.DataPlane;

/// <summary>
/// The byte stream of a client's connection. One thread receives; sends are made under the client's send lock.
/// </summary>
internal interface IClientTransport : IDisposable
{
    /// <summary>Connects and, for TLS, authenticates; blocks.</summary>
    void Connect();

    /// <summary>Blocks until bytes arrive. Returns 0 if the server has closed the connection.</summary>
    int Receive(Span<byte> into);

    /// <summary>
    /// The descriptor from which <see cref="TryReceive"/> receives, once connected; null if the transport only blocks.
    /// </summary>
    int? Descriptor { get; }

    /// <summary>
    /// Receives what has arrived, without blocking: null if that is nothing, and 0 if the server has closed the
    /// connection.
    /// </summary>
    int? TryReceive(Span<byte> into);

    /// <summary>Ends the connection for both ends, and with it a wait for the descriptor, which stays open.</summary>
    void Shutdown();

    /// <summary>The message for a connection that the server has closed.</summary>
    string ClosedText { get; }

    /// <summary>Returns the number of bytes sent; the rest is retried later if the buffer is full.</summary>
    int Send(ReadOnlySpan<byte> bytes);
}
