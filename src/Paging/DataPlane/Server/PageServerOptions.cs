using System.Net;
using System.Net.Security;

namespace Userfault.Paging;

/// <summary>How a <see cref="PageServer"/> listens, and what one client may cost it.</summary>
public sealed record PageServerOptions
{
    /// <summary>Address to listen on; port 0 lets the system choose (<see cref="PageServer.Endpoint"/> tells).</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>
    /// TLS, null for none. With <see cref="SslServerAuthenticationOptions.ClientCertificateRequired"/> and a validation
    /// callback the client is authenticated too: one that throws an <see cref="System.Security.Authentication.AuthenticationException"/>
    /// says why it refuses. Content is then encrypted from a copy, at a fraction of the plain speed.
    /// </summary>
    public SslServerAuthenticationOptions? Tls { get; init; }

    /// <summary>Connections at most; one more is refused.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>Bytes of pages that one client may have asked for and not yet got.</summary>
    public long MaxOutstandingBytes { get; init; } = 64L << 20;

    /// <summary>Requests that one client may have outstanding.</summary>
    public int MaxOutstandingRequests { get; init; } = 4096;

    /// <summary>Pages of content that a client may be asked to keep for duplicates, at most 4096; 0 sends none.</summary>
    public int DuplicateWindow { get; init; } = 64;

    /// <summary>Longest time from connecting to the end of the handshake.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time between a frame's first and last byte, and during which a client that is owed bytes may take none.</summary>
    public TimeSpan FrameTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest silence of a client. It is told, and pings in time.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Portable sockets and a thread or two a connection even where epoll is there.</summary>
    public bool UsePortableSockets { get; init; }

    /// <summary>Takes one line for each peer that is refused; null drops them. Called on the server's threads.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>The clock behind the timeouts.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
