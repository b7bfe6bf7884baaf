using System.Net;
using System.Net.Security;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>The server and the image of a <see cref="PageClient"/>, and the limits it imposes on the server.</summary>
public sealed record PageClientOptions
{
    /// <summary>The server: an <see cref="IPEndPoint"/> or a <see cref="DnsEndPoint"/>.</summary>
    public required EndPoint Server { get; init; }

    /// <summary>The wanted image; <c>default</c> for none, which permits only the list of sources.</summary>
    public ImageIdentity Image { get; init; }

    /// <summary>TLS, null for none; with a client certificate if the server requires one.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>Maximum outstanding bytes of pages; the server's own limit applies as well.</summary>
    public long MaxOutstandingBytes { get; init; } = 64L << 20;

    /// <summary>Maximum requests on the wire, 1 to 65536; the server's own limit applies as well.</summary>
    public int MaxOutstandingRequests { get; init; } = 4096;

    /// <summary>Pages of content kept so that duplicates need not be transferred, at most 4096; 0 keeps none.</summary>
    public int DuplicateWindow { get; init; } = 64;

    /// <summary>Maximum time from connecting to the end of the handshake.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Maximum time between two frames that answer one request, after which the connection is given up.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Maximum silence of the server; the client pings it in time.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The loop on whose thread the client receives and delivers, so that pages are placed by the thread that receives
    /// them; null for a thread of the client's own, which also serves TLS and systems whose sockets cannot be waited
    /// for.
    /// </summary>
    public IReadinessLoop? Loop { get; init; }

    /// <summary>The clock for the timeouts and <see cref="PageBatch.CompletedNs"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
