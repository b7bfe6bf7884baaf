using System.Net;
using System.Net.Security;

namespace Userfault.Paging;

/// <summary>Where a <see cref="PageClient"/> connects, for which image, and what it allows the server.</summary>
public sealed record PageClientOptions
{
    /// <summary>The server: an <see cref="IPEndPoint"/> or a <see cref="DnsEndPoint"/>.</summary>
    public required EndPoint Server { get; init; }

    /// <summary>The image whose pages are wanted; <c>default</c> asks for none, only for the list of sources.</summary>
    public ImageIdentity Image { get; init; }

    /// <summary>TLS, null for none; with a client certificate where the server wants one.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>Bytes of pages asked for and not yet here, at most; the server's own limit counts too.</summary>
    public long MaxOutstandingBytes { get; init; } = 64L << 20;

    /// <summary>Requests on the wire at most, 1 to 65536; the server's own limit counts too.</summary>
    public int MaxOutstandingRequests { get; init; } = 4096;

    /// <summary>Pages of content kept so that duplicates need not travel, at most 4096; 0 keeps none.</summary>
    public int DuplicateWindow { get; init; } = 64;

    /// <summary>Longest time from connecting to the end of the handshake.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time between two frames that answer one request; then the connection is given up.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest silence of the server; it is pinged in time.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock behind the timeouts and <see cref="PageBatch.CompletedNs"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
