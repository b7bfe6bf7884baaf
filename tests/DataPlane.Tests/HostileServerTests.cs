using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.DataPlane.Tests;

/// <summary>What a client does with servers that answer wrongly, late, twice or never.</summary>
public class HostileServerTests : ClientTests
{
    public HostileServerTests()
        : this(onLoop: false) { }

    protected HostileServerTests(bool onLoop)
        : base(onLoop) { }

    private static readonly PlaneImage Image = new(64);

    private PageClientOptions OptionsOf(ScriptedServer server) =>
        ClientOf(server.Endpoint, Image.Identity) with
        {
            DuplicateWindow = 4,
        };

    private static byte[] Flip(byte[] frame, int index)
    {
        frame[index] ^= 0x10;
        return frame;
    }

    private static byte[] FramedCopy(FrameType type, RequestEntry entry, int extraBytes)
    {
        var whole = ScriptedServer.Data(Image, entry);
        var frame = new byte[whole.Length + extraBytes];
        whole.AsSpan(0, Math.Min(whole.Length, frame.Length)).CopyTo(frame);
        var record = PageRecord.Read(whole.AsSpan(FrameHeader.Size));
        record.WriteFramed(
            frame,
            new FrameHeader(frame.Length - FrameHeader.Size, type, FrameHeader.Last),
            Crc32C.Of(frame.AsSpan(PageRecord.FramedSize))
        );
        return frame;
    }

    // Pages 0 and 1 are asked for, as one request.
    private static readonly Dictionary<string, (Func<RequestEntry, byte[]> Answer, RefusalReason Reason)> WrongAnswers =
        new()
        {
            ["wrong page"] = (e => ScriptedServer.Data(Image, e with { FirstPage = 1 }), RefusalReason.WrongPage),
            ["fewer pages as if all"] = (
                e => ScriptedServer.Data(Image, e with { PageCount = 1 }),
                RefusalReason.WrongPage
            ),
            ["all pages as if fewer"] = (e => ScriptedServer.Data(Image, e, last: false), RefusalReason.WrongPage),
            ["more pages"] = (e => ScriptedServer.Data(Image, e with { PageCount = 3 }), RefusalReason.WrongPage),
            ["wrong number"] = (
                e => ScriptedServer.Data(Image, e with { RequestId = e.RequestId ^ 1 }),
                RefusalReason.WrongPage
            ),
            ["old number"] = (
                e => ScriptedServer.Data(Image, e with { RequestId = e.RequestId + 0x10000 }),
                RefusalReason.WrongPage
            ),
            ["number out of all bounds"] = (
                e => ScriptedServer.Data(Image, e with { RequestId = uint.MaxValue }),
                RefusalReason.WrongPage
            ),
            ["no pages"] = (
                e => ScriptedServer.Record(FrameType.Zero, e with { PageCount = 0 }, 0, flags: 0),
                RefusalReason.WrongPage
            ),
            ["far too many zeros"] = (
                e => ScriptedServer.Record(FrameType.Zero, e with { PageCount = uint.MaxValue }, 0),
                RefusalReason.WrongPage
            ),
            ["damaged content"] = (e => Flip(ScriptedServer.Data(Image, e), 5000), RefusalReason.BadChecksum),
            ["damaged page number"] = (e => Flip(ScriptedServer.Data(Image, e), 10), RefusalReason.BadChecksum),
            ["damaged checksum"] = (e => Flip(ScriptedServer.Data(Image, e), 30), RefusalReason.BadChecksum),
            ["damaged zeros"] = (e => Flip(ScriptedServer.Record(FrameType.Zero, e, 0), 30), RefusalReason.BadChecksum),
            ["one byte short"] = (e => FramedCopy(FrameType.Data, e, -1), RefusalReason.BadFrame),
            ["one byte long"] = (e => FramedCopy(FrameType.Data, e, 1), RefusalReason.BadFrame),
            ["zeros with content"] = (e => FramedCopy(FrameType.Zero, e, 0), RefusalReason.BadFrame),
            ["data without content"] = (e => ScriptedServer.Record(FrameType.Data, e, 0), RefusalReason.BadFrame),
            ["data with a detail"] = (e => ScriptedServer.Record(FrameType.Zero, e, 1), RefusalReason.BadFrame),
            ["duplicate of nothing"] = (
                e => ScriptedServer.Record(FrameType.Duplicate, e with { PageCount = 1 }, 0, flags: 0),
                RefusalReason.BadFrame
            ),
            ["duplicate past the window"] = (
                e => ScriptedServer.Record(FrameType.Duplicate, e with { PageCount = 1 }, 4, flags: 0),
                RefusalReason.BadFrame
            ),
            ["end of a part"] = (
                e => ScriptedServer.Record(FrameType.End, e with { PageCount = 1 }, 1, flags: 0),
                RefusalReason.WrongPage
            ),
            ["no record"] = (_ => RawPeer.Frame(FrameType.Zero, new byte[23]), RefusalReason.BadFrame),
            ["hostile length"] = (_ => [0xff, 0xff, 0xff, 0xff, 0x20, 0, 0, 0], RefusalReason.BadFrame),
            ["a frame too long"] = (_ => [0x19, 0, 4, 0, 0x20, 0, 0, 0], RefusalReason.BadFrame),
            ["reserved bits"] = (_ => [24, 0, 0, 0, 0x20, 2, 0, 0], RefusalReason.BadFrame),
            ["a client's frame"] = (_ => RawPeer.Frame(FrameType.List, []), RefusalReason.BadFrame),
            ["a second welcome"] = (
                _ => RawPeer.Frame(FrameType.Welcome, ScriptedServer.WelcomePayload(Image.Identity, 64, 0)),
                RefusalReason.BadFrame
            ),
            ["a list nobody wants"] = (
                _ => RawPeer.Frame(FrameType.Sources, [], FrameHeader.Last),
                RefusalReason.BadFrame
            ),
            ["a long pong"] = (_ => RawPeer.Frame(FrameType.Pong, new byte[9]), RefusalReason.BadFrame),
            ["a refusal that is none"] = (_ => RawPeer.Frame(FrameType.Refused, new byte[3]), RefusalReason.BadFrame),
            ["going away"] = (
                _ => RawPeer.Frame(FrameType.Refused, [10, 0, 3, 0, (byte)'b', 7, (byte)'e']),
                RefusalReason.ShuttingDown
            ),
        };

    public static TheoryData<string> WrongAnswerNames() => [.. WrongAnswers.Keys];

    [Theory]
    [MemberData(nameof(WrongAnswerNames))]
    public async Task A_wrong_answer_ends_the_connection_and_reaches_no_sink(string name)
    {
        (var answer, var reason) = WrongAnswers[name];
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            peer.SendIfTaken(answer(ScriptedServer.ReadRequest(peer)));
        });
        var owner = new TestOwner();
        using var client = PageClient.Start(OptionsOf(server), owner);
        await owner.Opened;
        var sink = new RecordingSink(Image);

        client.Ask(1, 0, 2, sink);
        await sink.Ended(1);
        var end = await owner.Closed;

        Assert.Equal(reason, end.Reason);
        Assert.Empty(sink.Gfns);
        Assert.Equal(
            reason == RefusalReason.ShuttingDown ? FetchFailure.SourceLost : FetchFailure.BadAnswer,
            sink.FailureOf(1)
        );
        Assert.DoesNotContain(end.Text, char.IsControl);
        sink.AssertClean();
    }

    [Fact]
    public async Task An_answer_that_comes_twice_counts_once()
    {
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            var answer = ScriptedServer.Data(Image, ScriptedServer.ReadRequest(peer));
            peer.SendIfTaken([.. answer, .. answer]);
        });
        var owner = new TestOwner();
        using var client = PageClient.Start(OptionsOf(server), owner);
        await owner.Opened;
        var sink = new RecordingSink(Image);

        client.Ask(1, 0, 2, sink);
        Assert.Equal(RefusalReason.WrongPage, (await owner.Closed).Reason);
        await sink.Ended(1);

        Assert.Equal(2, sink.Gfns.Count);
        Assert.Empty(sink.Failures);
        sink.AssertClean();
    }

    [Fact]
    public async Task An_old_answer_is_not_taken_for_that_to_a_new_request_for_the_same_pages()
    {
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            var answer = ScriptedServer.Data(Image, ScriptedServer.ReadRequest(peer));
            peer.Send(answer);
            ScriptedServer.ReadRequest(peer);
            peer.SendIfTaken(answer);
        });
        var owner = new TestOwner();
        using var client = PageClient.Start(OptionsOf(server), owner);
        await owner.Opened;
        var sink = new RecordingSink(Image);

        client.Ask(1, 0, 2, sink);
        await sink.Ended(1);
        client.Ask(2, 0, 2, sink);
        await sink.Ended(1);

        Assert.Equal(RefusalReason.WrongPage, (await owner.Closed).Reason);
        Assert.Equal(FetchFailure.BadAnswer, sink.FailureOf(2));
        Assert.Equal(2, sink.Gfns.Count);
    }

    [Fact]
    public async Task What_comes_after_a_cancellation_goes_nowhere_until_its_end_and_is_an_offence_after_it()
    {
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            var cancelled = ScriptedServer.ReadRequest(peer);
            while (peer.ReadFrame()!.Value.Type != FrameType.Cancel) { }
            var wanted = ScriptedServer.ReadRequest(peer);
            peer.Send(ScriptedServer.Data(Image, cancelled));
            peer.Send(ScriptedServer.Data(Image, wanted));
            peer.SendIfTaken(ScriptedServer.Record(FrameType.End, cancelled, 1));
        });
        var owner = new TestOwner();
        using var client = PageClient.Start(OptionsOf(server), owner);
        await owner.Opened;
        var sink = new RecordingSink(Image);

        client.Ask(1, 0, 2, sink);
        client.Cancel(1);
        client.Ask(2, 4, 2, sink);
        await sink.Ended(2);

        Assert.Equal(RefusalReason.WrongPage, (await owner.Closed).Reason);
        Assert.Equal(FetchFailure.Cancelled, sink.FailureOf(1));
        Assert.Equal([4UL, 5UL], sink.Kinds.Keys.Order());
        Assert.Equal(2, client.Counters.DroppedPages);
        sink.AssertClean();
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up()
    {
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            while (peer.ReadFrame() is (var type, _, var payload))
            {
                if (type == FrameType.Ping)
                {
                    peer.SendIfTaken(RawPeer.Frame(FrameType.Pong, payload));
                }
            }
        });
        var owner = new TestOwner();
        using var client = PageClient.Start(
            OptionsOf(server) with
            {
                RequestTimeout = TimeSpan.FromMilliseconds(200),
            },
            owner
        );
        await owner.Opened;
        var sink = new RecordingSink(Image);

        client.Ask(1, 0, 2, sink);
        await sink.Ended(1);

        Assert.Equal(FetchFailure.SourceLost, sink.FailureOf(1));
        Assert.Equal(RefusalReason.TooSlow, (await owner.Closed).Reason);
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_given_up_even_where_nothing_is_asked()
    {
        using var server = new ScriptedServer(peer => ScriptedServer.Shake(peer, Image));
        var owner = new TestOwner();
        using var client = PageClient.Start(
            OptionsOf(server) with
            {
                SilenceTimeout = TimeSpan.FromMilliseconds(200),
            },
            owner
        );
        await owner.Opened;

        Assert.Equal(RefusalReason.ConnectionLost, (await owner.Closed).Reason);
    }

    [Fact]
    public async Task Keep_alive_keeps_an_idle_connection_open()
    {
        using var server = new PageServer(
            Plane.Server with
            {
                IdleTimeout = TimeSpan.FromSeconds(3),
            },
            [new PageOffer(Image)]
        );
        var owner = new TestOwner();
        using var client = PageClient.Start(ClientOf(server, Image.Identity), owner);
        await owner.Opened;
        var before = client.Counters.Bytes;

        // Pongs are all that comes, one a second: four of them take longer than the silence that the server allows.
        await Eventually.Holds(() => client.Counters.Bytes >= before + (4 * 16));

        var sink = new RecordingSink(Image);
        client.Ask(1, 0, 1, sink);
        await sink.Ended(1);
        Assert.Empty(sink.Failures);
    }

    private static readonly Dictionary<string, (Action<RawPeer> Script, RefusalReason Reason)> WrongHandshakes = new()
    {
        ["closes at once"] = (peer => peer.HalfClose(), RefusalReason.ConnectionLost),
        ["another protocol"] = (peer => peer.Send("SSH-2.0-OpenSSH_9.9\r\n"u8), RefusalReason.NotThisProtocol),
        ["hostile length"] = (peer => peer.Send([0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0]), RefusalReason.NotThisProtocol),
        ["welcome first"] = (
            peer => peer.SendFrame(FrameType.Welcome, ScriptedServer.WelcomePayload(Image.Identity, 64, 0)),
            RefusalReason.NotThisProtocol
        ),
        ["wrong magic"] = (peer => peer.SendFrame(FrameType.Greeting, new byte[44]), RefusalReason.NotThisProtocol),
        ["only newer versions"] = (
            peer => peer.SendFrame(FrameType.Greeting, GreetingOf(3, 9)),
            RefusalReason.UnsupportedVersion
        ),
        ["only version 1, as it was"] = (
            peer => peer.SendFrame(FrameType.Greeting, [.. GreetingOf(1, 1), .. new byte[36]]),
            RefusalReason.UnsupportedVersion
        ),
        ["short greeting"] = (
            peer => peer.SendFrame(FrameType.Greeting, GreetingOf(2, 2).AsSpan(0, 7)),
            RefusalReason.NotThisProtocol
        ),
        ["greets twice"] = (
            peer =>
            {
                peer.SendFrame(FrameType.Greeting, GreetingOf(2, 2));
                peer.SendFrame(FrameType.Greeting, GreetingOf(1, 3));
            },
            RefusalReason.BadFrame
        ),
        ["other image"] = (
            peer =>
                Welcome(
                    peer,
                    ScriptedServer.WelcomePayload(new ImageIdentity(Enumerable.Repeat((byte)3, 32).ToArray()), 64, 0)
                ),
            RefusalReason.UnknownImage
        ),
        ["wider window"] = (
            peer => Welcome(peer, ScriptedServer.WelcomePayload(Image.Identity, 64, 5)),
            RefusalReason.LimitExceeded
        ),
        ["absurd window"] = (
            peer => Welcome(peer, ScriptedServer.WelcomePayload(Image.Identity, 64, 1 << 20)),
            RefusalReason.BadFrame
        ),
        ["absurd size"] = (
            peer => Welcome(peer, ScriptedServer.WelcomePayload(Image.Identity, ulong.MaxValue, 0)),
            RefusalReason.BadFrame
        ),
        ["no limits"] = (peer => Welcome(peer, [2, 0, .. new byte[62]]), RefusalReason.BadFrame),
        ["short welcome"] = (peer => Welcome(peer, [2, 0, .. new byte[61]]), RefusalReason.BadFrame),
        ["welcome to version 1"] = (peer => Welcome(peer, [1, 0, .. new byte[62]]), RefusalReason.UnsupportedVersion),
        ["never speaks"] = (_ => { }, RefusalReason.TooSlow),
    };

    private static byte[] GreetingOf(ushort min, ushort max)
    {
        var greeting = new byte[Greeting.Size];
        new Greeting(min, max).Write(greeting);
        return greeting;
    }

    private static void Welcome(RawPeer peer, byte[] welcome)
    {
        peer.SendFrame(FrameType.Greeting, GreetingOf(2, 2));
        peer.ReadFrame();
        peer.SendFrame(FrameType.Welcome, welcome);
    }

    public static TheoryData<string> WrongHandshakeNames() => [.. WrongHandshakes.Keys];

    [Theory]
    [MemberData(nameof(WrongHandshakeNames))]
    public void A_server_that_cannot_shake_hands_is_left(string name)
    {
        (var script, var reason) = WrongHandshakes[name];
        using var server = new ScriptedServer(script);
        var options = OptionsOf(server);

        var failure = Assert.Throws<PageConnectionException>(() =>
            PageClient.Connect(
                name == "never speaks" ? options with { HandshakeTimeout = TimeSpan.FromMilliseconds(100) } : options
            )
        );

        Assert.Equal(reason, failure.Refusal.Reason);
    }

    [Fact]
    public async Task However_the_stream_is_cut_the_pages_are_whole_and_a_damaged_byte_never_gets_through()
    {
        var damaged = 0;
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var isDamaged = seed % 2 == 1;
            using var server = new ScriptedServer(peer =>
            {
                ScriptedServer.Shake(peer, Image, window: 8);
                var entry = ScriptedServer.ReadRequest(peer);
                byte[] answer =
                [
                    .. ScriptedServer.Data(Image, entry with { PageCount = 3 }, last: false),
                    .. ScriptedServer.Record(FrameType.Zero, entry with { FirstPage = 3, PageCount = 1 }, 0, flags: 0),
                    .. ScriptedServer.Data(Image, entry with { FirstPage = 4, PageCount = 2 }, last: false),
                    // Page 6 is page 0 again, which is in slot 0 of eight.
                    .. ScriptedServer.Record(
                        FrameType.Duplicate,
                        entry with
                        {
                            FirstPage = 6,
                            PageCount = 1,
                        },
                        0,
                        Crc32C.Of(Image.Span(0, 1))
                    ),
                ];
                if (isDamaged)
                {
                    answer[random.Next(answer.Length)] ^= (byte)(1 << random.Next(8));
                }
                for (var at = 0; at < answer.Length; )
                {
                    var part = Math.Min(random.Next(1, seed % 4 < 2 ? 60 : 9000), answer.Length - at);
                    peer.SendIfTaken(answer.AsSpan(at, part));
                    at += part;
                }
                peer.HalfClose();
            });
            using var client = PageClient.Connect(OptionsOf(server) with { DuplicateWindow = 8 });
            var sink = new RecordingSink(Image);
            client.Ask(1, 0, 7, sink);
            await sink.Ended(1);
            sink.AssertClean();
            Assert.Equal(isDamaged, sink.Failures.Count > 0);
            damaged += isDamaged ? 1 : 0;
            Assert.True(isDamaged || sink.Gfns.Count == 7);
        }
        Assert.Equal(30, damaged);
    }

    [Fact]
    public async Task A_server_that_reads_nothing_does_not_block_who_asks()
    {
        using var done = new ManualResetEventSlim();
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            done.Wait(Plane.Patience);
        });
        var sink = new RecordingSink(Image);
        using (var client = PageClient.Connect(OptionsOf(server)))
        {
            // Far more than any socket buffer would take; bounded by what was agreed, the rest waits.
            for (ulong i = 0; i < 100_000; i++)
            {
                client.Ask(i, i % 64, 1, sink);
                if (i % 2 == 0)
                {
                    client.Cancel(i);
                }
            }
        }
        done.Set();
        await sink.Ended(100_000);
        sink.AssertClean();
        Assert.Equal(100_000, sink.Failures.Count);
    }
}
