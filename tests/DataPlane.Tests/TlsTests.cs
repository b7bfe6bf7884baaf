using Userfault.Tests;

namespace Userfault.DataPlane.Tests;

public sealed class TlsTests
{
    private static readonly PlaneImage Image = new(64);

    [Fact]
    public async Task Both_ends_can_be_authenticated_by_certificate()
    {
        using var certificate = TestCertificate.Create("localhost");
        using var server = new PageServer(
            Plane.Server with
            {
                Tls = certificate.ForServer(mutual: true),
            },
            [new PageOffer(Image)]
        );
        using var client = PageClient.Connect(
            Plane.ClientOf(server, Image.Identity) with
            {
                Tls = certificate.ForClient(mutual: true),
            }
        );
        var sink = new RecordingSink(Image);

        client.Ask(1, 0, 64, sink);
        await sink.Ended(1);

        sink.AssertClean();
        Assert.Equal(64, sink.Gfns.Count);
    }

    [Fact]
    public async Task ForeignBlocks_are_refused_with_one_line_each()
    {
        var log = new Plane.Lines();
        using var certificate = TestCertificate.Create("localhost");
        using var other = TestCertificate.Create("localhost");
        using var server = new PageServer(
            Plane.Server with
            {
                Tls = certificate.ForServer(mutual: true),
                Log = log.Enqueue,
            },
            [new PageOffer(Image)]
        );
        var options = Plane.ClientOf(server, Image.Identity);

        // No certificate, one that only this end trusts, and no TLS at all.
        var unknown = Refused(options with { Tls = certificate.ForClient() });
        Assert.Equal(RefusalReason.ConnectionLost, unknown.Reason);
        Assert.Contains("certificate", unknown.Text, StringComparison.Ordinal);
        Assert.Equal(
            new Refusal(RefusalReason.Untrusted, "another certificate"),
            Refused(options with { Tls = other.ForClient(mutual: true) })
        );
        Assert.NotEqual(
            RefusalReason.None,
            Refused(options with { HandshakeTimeout = TimeSpan.FromMilliseconds(200) }).Reason
        );
        using (var peer = RawPeer.ConnectTo(server))
        {
            peer.SendIfTaken("GET / HTTP/1.1\r\n\r\n"u8);
            peer.ReadToEnd();
        }
        await Eventually.Holds(() => log.Count >= 4);

        Assert.Equal(4, log.Count);
        Assert.All(log, line => Assert.DoesNotContain('\n', line));
        Assert.All(log, line => Assert.Contains(": Untrusted: ", line, StringComparison.Ordinal));
        Assert.Single(log, line => line.EndsWith(": no certificate", StringComparison.Ordinal));
        Assert.Equal(4, server.Counters.Refused);
    }

    [Fact]
    public async Task Damaged_greetings_of_TLS_harm_nobody()
    {
        var log = new Plane.Lines();
        using var certificate = TestCertificate.Create("localhost");
        var hello = ClientHello(certificate);
        using var server = new PageServer(
            Plane.Server with
            {
                Tls = certificate.ForServer(mutual: true),
                Log = log.Enqueue,
            },
            [new PageOffer(Image)]
        );
        using var bystander = PageClient.Connect(
            Plane.ClientOf(server, Image.Identity) with
            {
                Tls = certificate.ForClient(mutual: true),
            }
        );
        var sink = new RecordingSink(Image);
        const int peers = 120;
        for (var seed = 0; seed < peers; seed++)
        {
            var random = new Random(seed);
            var bytes = (byte[])hello.Clone();
            for (var i = 0; i <= seed % 5; i++)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }
            using var peer = RawPeer.ConnectTo(server);
            peer.SendIfTaken(seed % 3 == 0 ? bytes.AsSpan(0, random.Next(bytes.Length)) : bytes);
            peer.HalfClose();
            peer.ReadToEnd();
            bystander.Ask((ulong)seed, (ulong)(seed % 60), 4, sink);
        }

        await sink.Ended(peers);
        await Eventually.Holds(() => log.Count == peers);

        sink.AssertClean();
        Assert.Empty(sink.Failures);
        Assert.All(log, line => Assert.DoesNotContain('\n', line));
    }

    [Fact]
    public async Task A_stranger_that_says_nothing_is_cut_off()
    {
        var log = new Plane.Lines();
        using var certificate = TestCertificate.Create("localhost");
        using var server = new PageServer(
            Plane.Server with
            {
                Tls = certificate.ForServer(mutual: true),
                HandshakeTimeout = TimeSpan.FromMilliseconds(200),
                Log = log.Enqueue,
            },
            [new PageOffer(Image)]
        );
        using (var peer = RawPeer.ConnectTo(server))
        {
            peer.ReadToEnd();
        }

        await Eventually.Holds(() => !log.IsEmpty);

        Assert.Contains(": TooSlow: ", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_wants_TLS_does_not_talk_to_a_server_without()
    {
        using var certificate = TestCertificate.Create("localhost");
        using var server = new PageServer(Plane.Server, [new PageOffer(Image)]);

        Assert.Equal(
            RefusalReason.Untrusted,
            Refused(Plane.ClientOf(server, Image.Identity) with { Tls = certificate.ForClient() }).Reason
        );
    }

    private static Refusal Refused(PageClientOptions options) =>
        Assert.Throws<PageConnectionException>(() => PageClient.Connect(options)).Refusal;

    // The first bytes that a good client sends.
    private static byte[] ClientHello(TestCertificate certificate)
    {
        byte[] hello = [];
        using var server = new ScriptedServer(peer =>
        {
            var bytes = new byte[4096];
            hello = bytes[..peer.Socket.Receive(bytes)];
            peer.HalfClose();
        });
        Refused(Plane.ClientOf(server.Endpoint, Image.Identity) with { Tls = certificate.ForClient(mutual: true) });
        Assert.NotEmpty(hello);
        return hello;
    }
}
