using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Userfault.DataPlane;

/// <summary>TLS over a blocking socket. A send may wait, for at most the given timeout.</summary>
internal sealed class TlsTransport(EndPoint server, SslClientAuthenticationOptions tls, TimeSpan sendTimeout)
    : IClientTransport
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
        SendTimeout = (int)sendTimeout.TotalMilliseconds,
    };

    private SslStream? _stream;
    private bool _hasReceived;

    public void Connect()
    {
        _socket.Connect(server);
        var stream = new SslStream(new NetworkStream(_socket, ownsSocket: true));
        try
        {
            stream.AuthenticateAsClient(tls);
        }
        catch (Exception e)
            when (e is not (AuthenticationException or IOException or SocketException or ObjectDisposedException))
        {
            // An unexpected exception that a peer's bytes cause in the TLS stack ends this connection, not this
            // process.
            throw new AuthenticationException(e.Message, e);
        }
        _stream = stream;
    }

    // A server that does not trust this end's certificate may report it only by closing, after the handshake has
    // completed here.
    public string ClosedText =>
        _hasReceived
            ? "the server closed the connection"
            : "the server closed the connection at once: it may not trust this end's certificate";

    public int Receive(Span<byte> into)
    {
        var bytes = _stream!.Read(into);
        _hasReceived |= bytes > 0;
        return bytes;
    }

    // Decryption may need several receives for one byte of content, and blocks in between.
    public int? Descriptor => null;

    public int? TryReceive(Span<byte> into) => throw new NotSupportedException("TLS only blocks");

    public void Shutdown() => _socket.Dispose();

    public int Send(ReadOnlySpan<byte> bytes)
    {
        _stream!.Write(bytes);
        return bytes.Length;
    }

    // The stream has no resource of its own that outlives the socket, and closing it would wait for the peer.
    public void Dispose() => _socket.Dispose();
}
