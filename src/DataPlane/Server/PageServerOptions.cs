using System.Net;
using System.Net.Security;

namespace Userfault.DataPlane;

/// <summary>The address of a <see cref="PageServer"/>, and the limits per client.</summary>
public sealed record PageServerOptions
{
    /// <summary>
    /// Address to listen on; with port 0 the system chooses one (see <see cref="PageServer.Endpoint"/>).
    /// </summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>
    /// TLS, null for none. With <see cref="SslServerAuthenticationOptions.ClientCertificateRequired"/> and a validation
    /// callback, the client is authenticated too: a callback that throws an
    /// <see cref="System.Security.Authentication.AuthenticationException"/> supplies the reason of the refusal. Content
    /// is then encrypted from a copy, at a fraction of the plain speed.
    /// </summary>
    public SslServerAuthenticationOptions? Tls { get; init; }

    /// <summary>Maximum number of connections; further ones are refused.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>Maximum outstanding bytes of pages per client.</summary>
    public long MaxOutstandingBytes { get; init; } = 64L << 20;

    /// <summary>Maximum outstanding requests per client.</summary>
    public int MaxOutstandingRequests { get; init; } = 4096;

    /// <summary>
    /// Maximum pages of content that a client must keep for duplicates, at most 4096; 0 sends no duplicates.
    /// </summary>
    public int DuplicateWindow { get; init; } = 64;

    /// <summary>Maximum time from connecting to the end of the handshake.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Maximum time between the first and last byte of a frame, and maximum time without progress in sending to a
    /// client.
    /// </summary>
    public TimeSpan FrameTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Maximum silence of a client. It is announced to the client, which pings in time.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Use portable sockets, with two threads per connection, even if epoll is available.</summary>
    public bool UsePortableSockets { get; init; }

    /// <summary>
    /// Receives one line for each refused peer; null for no log. Called on the server's threads.
    /// </summary>
    public Action<string>? Log { get; init; }

    /// <summary>The clock for the timeouts.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
