namespace Akka.Remote.Transport;

/// <summary>One open link. Frames arrive at the other end in the order in which they were sent here, or the link closes.</summary>
public interface ILink
{
    /// <summary>The other end, for log lines.</summary>
    string Peer { get; }

    /// <summary>
    /// Says that the peer has proved who it is: frames of full size are taken from now on and the handshake's deadline
    /// no longer counts. Until then a transport takes small frames only.
    /// </summary>
    void Trust();

    /// <summary>
    /// Takes a copy of the frame to be sent. False where the buffer is full or the link is closed; nothing is taken
    /// then. Urgent frames may use a reserve of the buffer that others may not.
    /// </summary>
    bool TrySend(ReadOnlySpan<byte> frame, bool urgent);

    /// <summary>Closes the link after what is buffered, as far as that is quick. The handler hears Closed, once.</summary>
    void Close(string reason);
}
