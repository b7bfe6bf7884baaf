using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Userfault.Cli;
using Userfault.Paging;

namespace Userfault.Host.Tests.Security;

/// <summary>Real handshakes of the page data plane: good and wrong certificates at either end, in both versions of TLS.</summary>
public sealed class PagePlaneTests : IDisposable
{
    private static readonly SyntheticImage Image = new(new SyntheticSettings(16, 0, 0, Seed: 1));

    private readonly TestAuthority _ours = TestAuthority.Create();
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentQueue<string> _log = new();

    public static TheoryData<string> Wrong => WrongCertificates.Names;

    public void Dispose()
    {
        _folder.Dispose();
        _ours.Dispose();
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(TestAuthority.Server, TestAuthority.Client)]
    public void Nodes_of_one_authority_meet(string? serverOnly, string? clientOnly)
    {
        using var server = Serve(serverOnly is null ? Tls().Server : Raw(_ours.Sign(uses: [serverOnly])));
        var listing = Assert.Single(PageClient.ListSources(Options(server, clientOnly is null ? Tls().Client : RawClient(_ours.Sign(uses: [clientOnly])))));
        Assert.Equal(16UL, listing.PageCount);
        Assert.Empty(_log);
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_client_gets_nothing_from_a_good_server(string name)
    {
        var (make, said) = WrongCertificates.All[name];
        using var shown = make(_ours);
        using var server = Serve(Tls().Server);
        foreach (var version in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
        {
            _log.Clear();
            var refusal = Refused(Options(server, RawClient(shown, version)));
            Assert.Contains("certificate", refusal.Text, StringComparison.Ordinal);
            Assert.Contains(said.Replace("no serverAuth", "no clientAuth", StringComparison.Ordinal), await Line(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_good_client_takes_nothing_from_a_wrong_server(string name)
    {
        var (make, said) = WrongCertificates.All[name];
        using var shown = make(_ours);
        foreach (var version in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
        {
            using var server = Serve(Raw(shown, version));
            var refusal = Refused(Options(server, Tls().Client));
            Assert.Equal(RefusalReason.Untrusted, refusal.Reason);
            // What TLS itself refuses, the check does not come to see.
            if (name is not ("no signatures" or "the authority's own")) Assert.Contains(said, refusal.Text, StringComparison.Ordinal);
        }
    }

    // A certificate for one end does not pass at the other.
    [Fact]
    public async Task A_certificate_for_the_other_end_is_refused()
    {
        using var server = Serve(Tls().Server);
        Refused(Options(server, RawClient(_ours.Sign(uses: [TestAuthority.Server]))));
        Assert.Contains("no clientAuth", await Line(), StringComparison.Ordinal);

        using var forClients = Serve(Raw(_ours.Sign(uses: [TestAuthority.Client])));
        Assert.Contains("no serverAuth", Refused(Options(forClients, Tls().Client)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_a_certificate_gets_nothing()
    {
        using var server = Serve(Tls().Server);
        Refused(Options(server, new SslClientAuthenticationOptions { TargetHost = "userfault", RemoteCertificateValidationCallback = (_, shown, _, _) => TrustsAnyone(shown) }));
        Assert.Contains("it shows no certificate", await Line(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_end_alone_with_TLS_is_no_connection()
    {
        using (var server = Serve(Tls().Server))
        {
            Refused(Options(server, null) with { HandshakeTimeout = TimeSpan.FromMilliseconds(300) });
            Assert.Contains("Untrusted", await Line(), StringComparison.Ordinal);
        }

        using var plain = Serve(null);
        Assert.Equal(RefusalReason.Untrusted, Refused(Options(plain, Tls().Client)).Reason);
    }

    // A wrong end trusts whatever the good end shows.
    private static bool TrustsAnyone(X509Certificate? shown) => shown is null or X509Certificate2;

    private static SslServerAuthenticationOptions Raw(X509Certificate2 certificate, SslProtocols version = SslProtocols.None) => new()
    {
        ServerCertificate = certificate,
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = (_, shown, _, _) => TrustsAnyone(shown),
        EnabledSslProtocols = version,
    };

    private static SslClientAuthenticationOptions RawClient(X509Certificate2 certificate, SslProtocols version = SslProtocols.None) => new()
    {
        TargetHost = "userfault",
        ClientCertificates = [certificate],
        LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate,
        RemoteCertificateValidationCallback = (_, shown, _, _) => TrustsAnyone(shown),
        EnabledSslProtocols = version,
    };

    private static PageClientOptions Options(PageServer server, SslClientAuthenticationOptions? tls) => new()
    {
        Server = server.Endpoint,
        HandshakeTimeout = TimeSpan.FromSeconds(60),
        Tls = tls,
    };

    private static Refusal Refused(PageClientOptions options) =>
        Assert.Throws<PageConnectionException>(() => PageClient.ListSources(options)).Refusal;

    private ClusterTls Tls() => ClusterTls.Of(Settings.Load(_ours.Settings(_folder)))!;

    private PageServer Serve(SslServerAuthenticationOptions? tls) => new(
        new PageServerOptions { Tls = tls, Log = _log.Enqueue, HandshakeTimeout = TimeSpan.FromSeconds(60) }, [new PageOffer(Image)]);

    private async Task<string> Line()
    {
        await Cluster.ClusterSpec.Until(() => Task.FromResult(!_log.IsEmpty));
        return Assert.Single(_log);
    }
}
