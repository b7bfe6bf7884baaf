namespace Userfault.Paging.Tests.DataPlane;

public sealed class TlsTests
{
    private static readonly PlaneImage Image = new(64);

    [Fact]
    public async Task Both_ends_can_be_authenticated_by_certificate()
    {
        using var certificate = TestCertificate.Create("localhost");
        using var server = new PageServer(
            Plane.Server with { Tls = certificate.ForServer(mutual: true), Cookie = "as well" }, [new PageOffer(Image)]);
        using PageClient client = PageClient.Connect(
            Plane.ClientOf(server, Image.Identity) with { Tls = certificate.ForClient(mutual: true), Cookie = "as well" });
        var sink = new CollectingSink(Image);

        client.Ask(1, 0, 64, sink);
        await sink.Ended(1);

        sink.AssertClean();
        Assert.Equal(64, sink.PageCount);
    }

    [Fact]
    public async Task Strangers_are_refused_with_one_line_each()
    {
        var log = new Plane.Lines();
        using var certificate = TestCertificate.Create("localhost");
        using var other = TestCertificate.Create("localhost");
        using var server = new PageServer(
            Plane.Server with { Tls = certificate.ForServer(mutual: true), Log = log.Enqueue }, [new PageOffer(Image)]);
        PageClientOptions options = Plane.ClientOf(server, Image.Identity);

        Assert.NotEqual(RefusalReason.None, Refused(options with { Tls = certificate.ForClient() }));
        Assert.NotEqual(RefusalReason.None, Refused(options with { Tls = other.ForClient(mutual: true) }));
        Assert.NotEqual(RefusalReason.None, Refused(options with { HandshakeTimeout = TimeSpan.FromMilliseconds(200) }));
        using (var peer = RawPeer.ConnectTo(server))
        {
            peer.SendIfTaken("GET / HTTP/1.1\r\n\r\n"u8);
            peer.ReadToEnd();
        }
        await Plane.Until(() => log.Count >= 4, "a line for every stranger");

        Assert.Equal(4, log.Count);
        Assert.All(log, line => Assert.DoesNotContain('\n', line));
        Assert.Equal(4, server.Counters.Refused);
    }

    [Fact]
    public void A_client_that_wants_TLS_does_not_talk_to_a_server_without()
    {
        using var certificate = TestCertificate.Create("localhost");
        using var server = new PageServer(Plane.Server, [new PageOffer(Image)]);

        Assert.Equal(
            RefusalReason.ConnectionLost,
            Refused(Plane.ClientOf(server, Image.Identity) with { Tls = certificate.ForClient() }));
    }

    private static RefusalReason Refused(PageClientOptions options) =>
        Assert.Throws<PageConnectionException>(() => PageClient.Connect(options)).Refusal.Reason;
}
