using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Userfault.Cli;

namespace Userfault.Host.Tests.Security;

/// <summary>Which certificates pass, whatever the connection.</summary>
public sealed class PeerCheckTests : IDisposable
{
    private readonly TestAuthority _ours = TestAuthority.Create();
    private readonly PeerCheck _check;

    public PeerCheckTests() => _check = new PeerCheck([_ours.Certificate]);

    public static TheoryData<string> Wrong => WrongCertificates.Names;

    public void Dispose() => _ours.Dispose();

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_certificate_is_refused_as_what_it_is(string name)
    {
        var (make, said) = WrongCertificates.All[name];
        using var shown = make(_ours);
        foreach (var use in new[] { CertificateUse.Server, CertificateUse.Client, CertificateUse.Node })
        {
            // One that is for nothing lacks either use.
            var expected = use == CertificateUse.Client ? said.Replace("no serverAuth", "no clientAuth", StringComparison.Ordinal) : said;
            Assert.Contains(expected, _check.WhyNot(shown, use), StringComparison.Ordinal);
            Assert.Contains(expected, Assert.Throws<AuthenticationException>(() => _check.Demand(shown, use)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(null, true, true)]
    [InlineData(TestAuthority.Server, true, false)]
    [InlineData(TestAuthority.Client, false, true)]
    public void A_certificate_serves_the_ends_that_it_is_for(string? only, bool server, bool client)
    {
        using var shown = _ours.Sign(uses: only is null ? null : [only]);
        Assert.Equal(server, _check.WhyNot(shown, CertificateUse.Server) is null);
        Assert.Equal(client, _check.WhyNot(shown, CertificateUse.Client) is null);
        Assert.Equal(server && client, _check.WhyNot(shown, CertificateUse.Node) is null);
    }

    [Fact]
    public void No_certificate_is_refused() =>
        Assert.Contains("no certificate", _check.WhyNot(null, CertificateUse.Client), StringComparison.Ordinal);

    [Fact]
    public void Two_authorities_are_trusted_while_one_takes_the_others_place()
    {
        using var next = TestAuthority.Create("next");
        using var old = _ours.Sign();
        using var young = next.Sign();
        var both = new PeerCheck([_ours.Certificate, next.Certificate]);
        Assert.Null(both.WhyNot(old, CertificateUse.Node));
        Assert.Null(both.WhyNot(young, CertificateUse.Node));
        Assert.NotNull(new PeerCheck([next.Certificate]).WhyNot(old, CertificateUse.Node));
    }

    [Fact]
    public void What_a_stranger_calls_itself_does_no_harm_in_a_log()
    {
        using var theirs = TestAuthority.Create("theirs");
        using var shown = theirs.Sign(name: "\"two\nlines\u001b[2J" + new string('x', 5000) + "\"");
        var said = _check.WhyNot(shown, CertificateUse.Client)!;
        Assert.DoesNotContain(said, char.IsControl);
        Assert.InRange(said.Length, 1, 200);
    }

    [Fact]
    public void Certificates_that_are_damaged_anywhere_are_refused_and_nothing_is_thrown()
    {
        using var good = _ours.Sign();
        Assert.Null(_check.WhyNot(good, CertificateUse.Node));
        var bytes = good.RawData;
        for (var at = 0; at < bytes.Length; at++)
        {
            for (var bit = 0; bit < 8; bit += 3)
            {
                var damaged = (byte[])bytes.Clone();
                damaged[at] ^= (byte)(1 << bit);
                X509Certificate2 shown;
                try
                {
                    shown = X509CertificateLoader.LoadCertificate(damaged);
                }
                catch (System.Security.Cryptography.CryptographicException)
                {
                    continue;
                }

                using (shown) Assert.NotNull(_check.WhyNot(shown, CertificateUse.Node));
            }
        }
    }

    [Theory]
    [InlineData("not for signing", "keyCertSign")]
    [InlineData("no usage", "keyCertSign")]
    [InlineData("no authority", "basic constraints")]
    [InlineData("expired", "expired")]
    [InlineData("below another", "another authority")]
    public void An_authority_has_to_be_one(string which, string said)
    {
        using var below = _ours.Sign(isAuthority: true, usage: X509KeyUsageFlags.KeyCertSign);
        using var authority = which switch
        {
            "not for signing" => TestAuthority.Create(usage: X509KeyUsageFlags.DigitalSignature).Certificate,
            "no usage" => TestAuthority.Create(usage: null).Certificate,
            "no authority" => TestAuthority.Create(isAuthority: false).Certificate,
            "expired" => TestAuthority.Create(fromDays: -9, toDays: -1).Certificate,
            _ => below,
        };
        Assert.Contains(said, PeerCheck.WhyNoAuthority(authority), StringComparison.Ordinal);
        Assert.Null(PeerCheck.WhyNoAuthority(_ours.Certificate));
    }
}
