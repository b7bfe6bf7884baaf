using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Userfault.Paging;

/// <summary>TLS over a blocking socket. A send may wait, for at most the timeout given.</summary>
internal sealed class TlsTransport(EndPoint server, SslClientAuthenticationOptions tls, TimeSpan sendTimeout) : IClientTransport
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
        SendTimeout = (int)sendTimeout.TotalMilliseconds,
    };

    private SslStream? _stream;

    public void Connect()
    {
        _socket.Connect(server);
        var stream = new SslStream(new NetworkStream(_socket, ownsSocket: true));
        stream.AuthenticateAsClient(tls);
        _stream = stream;
    }

    public int Receive(Span<byte> into) => _stream!.Read(into);

    public int Send(ReadOnlySpan<byte> bytes)
    {
        _stream!.Write(bytes);
        return bytes.Length;
    }

    // The stream holds no resource of its own that outlives the socket, and closing it would wait for the peer.
    public void Dispose() => _socket.Dispose();
}
