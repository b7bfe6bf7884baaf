using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>
/// What the data-plane tests share: options on loopback with a port of the system's choice, and raw sockets.
/// </summary>
internal static class Plane
{
    /// <summary>How long a test waits for what must happen; only a failing test waits that long.</summary>
    public static readonly TimeSpan Patience = global::Userfault.Tests.Patience.Of(TimeSpan.FromSeconds(60));

    /// <summary>No timeout but those that a test sets itself: nothing depends on how fast the machine is.</summary>
    public static readonly PageServerOptions Server = new()
    {
        HandshakeTimeout = Patience,
        FrameTimeout = Patience,
        IdleTimeout = Patience,
    };

    public static PageClientOptions ClientOf(PageServer server, ImageIdentity image) =>
        ClientOf(server.Endpoint, image);

    public static PageClientOptions ClientOf(EndPoint server, ImageIdentity image) =>
        new()
        {
            Server = server,
            Image = image,
            HandshakeTimeout = Patience,
            RequestTimeout = Patience,
            SilenceTimeout = Patience,
        };

    public static MemoryPageRange Range(ulong first, ulong count) => new(new MemoryPage(first), count);

    public static void Ask(
        this PageClient client,
        ulong id,
        ulong first,
        ulong count,
        IPageSink sink,
        bool background = false
    ) =>
        client.Request(
            new PageRequest(id, background ? FetchPriority.Background : FetchPriority.Demand, 0),
            [Range(first, count)],
            sink
        );

    public static Socket RawConnection(EndPoint server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
            SendTimeout = (int)Patience.TotalMilliseconds,
        };
        socket.Connect(server);
        return socket;
    }

    /// <summary>A log that a test can look at.</summary>
    public sealed class Lines : ConcurrentQueue<string>;
}
