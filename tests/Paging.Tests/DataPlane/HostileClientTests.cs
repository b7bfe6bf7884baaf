namespace Userfault.Paging.Tests.DataPlane;

/// <summary>
/// What a server does with peers that break the protocol: each is refused with one line, and the others do not notice.
/// </summary>
public sealed class HostileClientTests
{
    private static readonly PlaneImage Image = new(64);

    private static byte[] HelloFrame(ushort version = 2, ImageIdentity? image = null, string magic = "55465047")
    {
        byte[] hello = new byte[Hello.Size];
        new Hello(version, image ?? Image.Identity, 0).Write(hello);
        Convert.FromHexString(magic).CopyTo(hello, 0);
        return RawPeer.Frame(FrameType.Hello, hello);
    }

    // Version 1 had a proof of a secret in its hello, of 108 bytes.
    private static byte[] VersionOne() =>
        RawPeer.Frame(FrameType.Hello, [.. HelloFrame(version: 1).AsSpan(8), .. new byte[64]]);

    private static byte[] Reserved(byte[] hello)
    {
        hello[FrameHeader.Size + 6] = 1;
        return hello;
    }

    public static TheoryData<string, byte[], RefusalReason> BeforeHello() => new()
    {
        { "text", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), RefusalReason.NotThisProtocol },
        { "zeros", new byte[64], RefusalReason.NotThisProtocol },
        { "hostile length", [0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0], RefusalReason.NotThisProtocol },
        { "negative length", [0, 0, 0, 0x80, 2, 0, 0, 0], RefusalReason.NotThisProtocol },
        { "one past the longest", [1, 0x10, 0, 0, 2, 0, 0, 0], RefusalReason.NotThisProtocol },
        { "reserved header byte", [44, 0, 0, 0, 2, 0, 1, 0], RefusalReason.NotThisProtocol },
        { "unknown flag", [44, 0, 0, 0, 2, 2, 0, 0], RefusalReason.NotThisProtocol },
        { "request first", RawPeer.Request(new RequestEntry(0, 1, 1, false)), RefusalReason.NotThisProtocol },
        { "wrong magic", HelloFrame(magic: "55465048"), RefusalReason.NotThisProtocol },
        { "version 0", HelloFrame(version: 0), RefusalReason.UnsupportedVersion },
        { "version 3", HelloFrame(version: 3), RefusalReason.UnsupportedVersion },
        { "version 1 as it was", VersionOne(), RefusalReason.UnsupportedVersion },
        { "reserved bytes of the hello", Reserved(HelloFrame()), RefusalReason.BadFrame },
        { "short hello", RawPeer.Frame(FrameType.Hello, HelloFrame().AsSpan(8, 43)), RefusalReason.BadFrame },
        { "long hello", RawPeer.Frame(FrameType.Hello, [.. HelloFrame().AsSpan(8), 0]), RefusalReason.BadFrame },
        { "empty hello", RawPeer.Frame(FrameType.Hello, []), RefusalReason.NotThisProtocol },
        { "other image", HelloFrame(image: new ImageIdentity(Enumerable.Repeat((byte)9, 32).ToArray())), RefusalReason.UnknownImage },
        { "two hellos", [.. HelloFrame(), .. HelloFrame()], RefusalReason.BadFrame },
    };

    [Theory]
    [MemberData(nameof(BeforeHello))]
    public async Task A_peer_that_cannot_shake_hands_is_refused_with_one_line(string what, byte[] bytes, RefusalReason reason)
    {
        foreach (bool portable in (bool[])[false, true])
        {
            await ExpectRefusal(portable, Plane.Server, peer => peer.SendIfTaken(bytes), reason, what);
        }
    }

    public static TheoryData<string, byte[], RefusalReason> AfterWelcome() => new()
    {
        { "unknown type", RawPeer.Frame((FrameType)0x7f, []), RefusalReason.BadFrame },
        { "a server's frame", RawPeer.Frame(FrameType.Data, new byte[24]), RefusalReason.BadFrame },
        { "a hello again", HelloFrame(), RefusalReason.BadFrame },
        { "empty request", RawPeer.Frame(FrameType.Request, []), RefusalReason.BadFrame },
        { "cut request", RawPeer.Frame(FrameType.Request, new byte[25]), RefusalReason.BadFrame },
        { "reserved bytes", RawPeer.Frame(FrameType.Request, [.. new byte[8], 1, .. new byte[14], 1]), RefusalReason.BadFrame },
        { "no pages", RawPeer.Request(new RequestEntry(0, 0, 1, false)), RefusalReason.BadFrame },
        { "past the end", RawPeer.Request(new RequestEntry(64, 1, 1, false)), RefusalReason.OutOfRange },
        { "over the end", RawPeer.Request(new RequestEntry(63, 2, 1, false)), RefusalReason.OutOfRange },
        { "wraps", RawPeer.Request(new RequestEntry(ulong.MaxValue, uint.MaxValue, 1, false)), RefusalReason.OutOfRange },
        { "number twice", RawPeer.Request(new(0, 60, 1, false), new(0, 1, 1, false)), RefusalReason.BadFrame },
        { "cut cancel", RawPeer.Frame(FrameType.Cancel, new byte[3]), RefusalReason.BadFrame },
        { "long ping", RawPeer.Frame(FrameType.Ping, new byte[9]), RefusalReason.BadFrame },
        { "list with content", RawPeer.Frame(FrameType.List, new byte[1]), RefusalReason.BadFrame },
        { "hostile length", [0xff, 0xff, 0xff, 0x7f, 0x10, 0, 0, 0], RefusalReason.BadFrame },
        {
            "more requests than agreed",
            RawPeer.Request([.. Enumerable.Range(0, 9).Select(i => new RequestEntry(0, 1, (uint)i, false))]),
            RefusalReason.LimitExceeded
        },
        { "more pages than agreed", RawPeer.Request(new(0, 60, 1, false), new(0, 60, 2, true)), RefusalReason.LimitExceeded },
    };

    [Theory]
    [MemberData(nameof(AfterWelcome))]
    public async Task A_client_that_breaks_the_agreement_is_refused_with_one_line(string what, byte[] bytes, RefusalReason reason)
    {
        var options = Plane.Server with { MaxOutstandingBytes = 64 * 4096, MaxOutstandingRequests = 8 };
        foreach (bool portable in (bool[])[false, true])
        {
            await ExpectRefusal(portable, options, peer =>
            {
                peer.Shake(Image.Identity);
                peer.SendIfTaken(bytes);
            }, reason, what);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Random_bytes_and_damaged_sessions_harm_nobody(bool portable)
    {
        var log = new Plane.Lines();
        using var server = new PageServer(
            Plane.Server with { UsePortableSockets = portable, Log = log.Enqueue }, [new PageOffer(Image)]);
        using PageClient bystander = PageClient.Connect(Plane.ClientOf(server, Image.Identity));
        var sink = new CollectingSink(Image);
        byte[] session = [.. HelloFrame(), .. RawPeer.Request(new(0, 9, 1, false), new(3, 60, 2, true)), .. RawPeer.Frame(FrameType.Cancel, new byte[8])];
        const int peers = 150;
        for (int seed = 0; seed < peers; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = (byte[])session.Clone();
            switch (seed % 3)
            {
                case 0:
                    bytes = new byte[random.Next(1, 3000)];
                    random.NextBytes(bytes);
                    break;
                case 1:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    bytes = bytes[..random.Next(bytes.Length)];
                    break;
            }
            using var peer = RawPeer.ConnectTo(server);
            peer.SendIfTaken(bytes);
            peer.HalfClose();
            peer.ReadRefusal();
            bystander.Ask((ulong)seed, (ulong)(seed % 60), 4, sink);
        }

        await sink.Ended(peers);
        await Plane.Until(() => log.Count == server.Counters.Refused, "a line for every refused peer");

        sink.AssertClean();
        Assert.Empty(sink.Failures);
        Assert.InRange(log.Count, peers / 3, peers);
        Assert.All(log, line => Assert.DoesNotContain('\n', line));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Slow_handshakes_half_frames_and_silence_are_cut_off(bool portable)
    {
        TimeSpan soon = TimeSpan.FromMilliseconds(200);
        var handshake = Plane.Server with { HandshakeTimeout = soon };
        await ExpectRefusal(portable, handshake, _ => { }, RefusalReason.TooSlow, "says nothing");
        await ExpectRefusal(portable, handshake, peer => peer.SendIfTaken(HelloFrame().AsSpan(0, 40)), RefusalReason.TooSlow, "half a hello");
        await ExpectRefusal(portable, Plane.Server with { FrameTimeout = soon }, peer =>
        {
            peer.Shake(Image.Identity);
            peer.Send([24, 0, 0]);
        }, RefusalReason.TooSlow, "a frame that never ends");
        await ExpectRefusal(
            portable, Plane.Server with { IdleTimeout = TimeSpan.FromSeconds(1) }, peer => peer.Shake(Image.Identity),
            RefusalReason.TooSlow, "silent after the welcome");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_does_not_read_is_cut_off_and_costs_no_memory(bool portable)
    {
        var log = new Plane.Lines();
        using var image = new PlaneImage(4096);
        using var server = new PageServer(
            Plane.Server with
            {
                UsePortableSockets = portable,
                FrameTimeout = TimeSpan.FromMilliseconds(300),
                Log = log.Enqueue,
                DuplicateWindow = 0,
            },
            [new PageOffer(image)]);
        using var peer = RawPeer.ConnectTo(server);
        peer.Socket.ReceiveBufferSize = 64 << 10;
        peer.Shake(image.Identity);
        peer.Send(RawPeer.Request([.. Enumerable.Range(0, 4).Select(i => new RequestEntry(0, 4096, (uint)i, false))]));

        await Plane.Until(() => !log.IsEmpty, "the reader that does not read is refused");

        Assert.Contains("TooSlow", Assert.Single(log));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_flood_of_pings_is_answered_by_no_more_pongs_and_ends_with_the_last(bool portable)
    {
        using var server = new PageServer(
            Plane.Server with { UsePortableSockets = portable }, [new PageOffer(Image)]);
        using var peer = RawPeer.ConnectTo(server);
        peer.Shake(Image.Identity);
        byte[] ping = RawPeer.Frame(FrameType.Ping, new byte[8]);
        byte[] last = RawPeer.Frame(FrameType.Ping, [1, 2, 3, 4, 5, 6, 7, 8]);
        peer.Send([.. Enumerable.Repeat(ping, 5000).SelectMany(frame => frame), .. last]);
        int pongs = 0;
        byte[] token;
        do
        {
            (FrameType type, _, token) = peer.ReadFrame()!.Value;
            Assert.Equal(FrameType.Pong, type);
            pongs++;
        }
        while (token[0] != 1);
        Assert.InRange(pongs, 1, 5001);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_connection_too_many_is_refused_and_the_others_stay(bool portable)
    {
        var log = new Plane.Lines();
        using var server = new PageServer(
            Plane.Server with { UsePortableSockets = portable, MaxConnections = 2, Log = log.Enqueue }, [new PageOffer(Image)]);
        using PageClient first = PageClient.Connect(Plane.ClientOf(server, Image.Identity));
        PageClient second = PageClient.Connect(Plane.ClientOf(server, Image.Identity));
        using (var peer = RawPeer.ConnectTo(server))
        {
            Assert.Equal(RefusalReason.TooManyConnections, peer.ReadRefusal());
        }
        await Plane.Until(() => log.Count == 1, "one line");
        second.Dispose();
        var sink = new CollectingSink(Image);
        first.Ask(1, 0, 64, sink);
        await sink.Ended(1);
        sink.AssertClean();
    }

    private static async Task ExpectRefusal(
        bool portable, PageServerOptions options, Action<RawPeer> act, RefusalReason reason, string what)
    {
        var log = new Plane.Lines();
        using var server = new PageServer(
            options with { UsePortableSockets = portable, Log = log.Enqueue }, [new PageOffer(Image)]);
        using (var peer = RawPeer.ConnectTo(server))
        {
            act(peer);
            Assert.Equal((what, reason), (what, peer.ReadRefusal()));
        }
        await Plane.Until(() => server.Counters.Refused == 1 && !log.IsEmpty, $"{what}: counted and logged");
        Assert.Contains(reason.ToString(), Assert.Single(log));
    }
}
