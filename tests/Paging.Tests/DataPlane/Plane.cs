using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Userfault.Mmu;

namespace Userfault.Paging.Tests.DataPlane;

/// <summary>What the data-plane tests share: options on loopback with a port of the system's choice, and raw sockets.</summary>
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

    public static PageClientOptions ClientOf(PageServer server, ImageIdentity image) => ClientOf(server.Endpoint, image);

    public static PageClientOptions ClientOf(EndPoint server, ImageIdentity image) => new()
    {
        Server = server,
        Image = image,
        HandshakeTimeout = Patience,
        RequestTimeout = Patience,
        SilenceTimeout = Patience,
    };

    public static GfnRange Range(ulong first, ulong count) => new(new Gfn(first), count);

    public static void Ask(this PageClient client, ulong id, ulong first, ulong count, IPageSink sink, bool background = false) =>
        client.Request(
            new PageRequest(id, background ? FetchPriority.Background : FetchPriority.Demand, 0), [Range(first, count)], sink);

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

    public static async Task Until(Func<bool> condition, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        long deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, $"never happened: {what}");
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>A log that a test can look at.</summary>
    public sealed class Lines : ConcurrentQueue<string>;
}
