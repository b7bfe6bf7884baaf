namespace Userfault.Paging;

/// <summary>The bytes of one connection of a client. One thread receives; sends are under the client's send lock.</summary>
internal interface IClientTransport : IDisposable
{
    /// <summary>Connects, and for TLS authenticates; blocks.</summary>
    void Connect();

    /// <summary>Blocks until bytes are there. 0 where the server has closed.</summary>
    int Receive(Span<byte> into);

    /// <summary>What to say of a server that has closed.</summary>
    string ClosedText { get; }

    /// <summary>How many of the bytes went out; the rest is tried again later where the buffer is full.</summary>
    int Send(ReadOnlySpan<byte> bytes);
}
