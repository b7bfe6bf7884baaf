using System.Net;
using System.Net.Sockets;

namespace Userfault.Paging.Tests.DataPlane;

/// <summary>A server that does what a test scripts: one connection, on a thread of its own.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Thread _thread;

    public ScriptedServer(Action<RawPeer> script)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _thread = new Thread(() => Play(script)) { IsBackground = true };
        _thread.Start();
    }

    public EndPoint Endpoint => _listener.LocalEndPoint!;

    /// <summary>Greeting, hello, welcome: then the script goes on as it likes.</summary>
    public static void Shake(RawPeer peer, PlaneImage image, uint window = 4)
    {
        byte[] greeting = new byte[Greeting.Size];
        new Greeting(WireLimits.Version, WireLimits.Version).Write(greeting);
        peer.SendFrame(FrameType.Greeting, greeting);
        Assert.Equal(FrameType.Hello, peer.ReadFrame()!.Value.Type);
        peer.SendFrame(FrameType.Welcome, WelcomePayload(image.Identity, image.Pages, window));
    }

    public static byte[] WelcomePayload(ImageIdentity image, ulong pages, uint window)
    {
        byte[] welcome = new byte[Welcome.Size];
        new Welcome(1024, 128, 512, window, 60_000, pages, image).Write(welcome);
        return welcome;
    }

    /// <summary>Reads on, past pings, to the next request frame; its first entry.</summary>
    public static RequestEntry ReadRequest(RawPeer peer)
    {
        while (true)
        {
            var (type, _, payload) = peer.ReadFrame()!.Value;
            if (type == FrameType.Request)
            {
                Assert.True(RequestEntry.TryRead(payload, out RequestEntry entry));
                return entry;
            }
        }
    }

    /// <summary>A frame of pages as the image has them, all of them content.</summary>
    public static byte[] Data(PlaneImage image, RequestEntry entry, bool last = true) =>
        Data(entry, image.Span(entry.FirstPage, (int)entry.PageCount), last);

    public static byte[] Data(RequestEntry entry, ReadOnlySpan<byte> content, bool last = true)
    {
        byte[] frame = new byte[PageRecord.FramedSize + content.Length];
        var header = new FrameHeader(PageRecord.Size + content.Length, FrameType.Data, last ? FrameHeader.Last : (byte)0);
        content.CopyTo(frame.AsSpan(PageRecord.FramedSize));
        new PageRecord(entry.FirstPage, entry.PageCount, entry.RequestId, 0, 0).WriteFramed(frame, header, Crc32C.Of(content));
        return frame;
    }

    public static byte[] Record(FrameType type, RequestEntry entry, uint detail, uint contentCrc = 0, byte flags = FrameHeader.Last)
    {
        byte[] frame = new byte[PageRecord.FramedSize];
        new PageRecord(entry.FirstPage, entry.PageCount, entry.RequestId, detail, 0)
            .WriteFramed(frame, new FrameHeader(PageRecord.Size, type, flags), contentCrc);
        return frame;
    }

    public void Dispose()
    {
        _listener.Dispose();
        Assert.True(_thread.Join(Plane.Patience), "the script goes on for ever");
    }

    private void Play(Action<RawPeer> script)
    {
        try
        {
            using var peer = new RawPeer(_listener.Accept());
            peer.Socket.NoDelay = true;
            peer.Socket.ReceiveTimeout = (int)Plane.Patience.TotalMilliseconds;
            script(peer);
            while (peer.ReadFrame() is not null)
            {
            }
        }
        catch (SocketException)
        {
            // The client has left, as it should.
        }
    }
}
