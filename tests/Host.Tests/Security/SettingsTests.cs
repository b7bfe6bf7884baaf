using System.Security.Cryptography.X509Certificates;
using Userfault.Cli;

namespace Userfault.Host.Tests.Security;

/// <summary>Certificates that are wrong are found out at the start, by the setting that names them.</summary>
public sealed class SettingsTests : IDisposable
{
    private readonly TestAuthority _ours = TestAuthority.Create();
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Wrong => WrongCertificates.Names;

    public void Dispose()
    {
        _folder.Dispose();
        _ours.Dispose();
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_node_does_not_start_with_a_certificate_that_others_refuse(string name)
    {
        var (make, said) = WrongCertificates.All[name];
        using var own = make(_ours);
        var refused = Refused(_ours.Settings(_folder, certificate: own, trusted: _ours));
        Assert.StartsWith("userfault.cluster.tls.certificate: ", refused, StringComparison.Ordinal);
        Assert.Contains(said, refused, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, null, "keyCertSign")]
    [InlineData(true, X509KeyUsageFlags.DigitalSignature, "keyCertSign")]
    [InlineData(false, X509KeyUsageFlags.KeyCertSign, "basic constraints")]
    public void An_authority_has_to_be_one(bool isAuthority, X509KeyUsageFlags? usage, string said)
    {
        using var authority = TestAuthority.Create(isAuthority: isAuthority, usage: usage);
        using var own = authority.Sign();
        var refused = Refused(authority.Settings(_folder, certificate: own));
        Assert.StartsWith("userfault.cluster.tls.authority: ", refused, StringComparison.Ordinal);
        Assert.Contains(said, refused, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("userfault.cluster.tls.certificate", "key = \"a.key\", authority = \"a.pem\"")]
    [InlineData("userfault.cluster.tls.key", "certificate = \"own.pem\"")]
    [InlineData("userfault.cluster.tls.authority", "certificate = \"own.pem\", key = \"own.key\"")]
    [InlineData("userfault.cluster.tls.certificate", "certificate = \"nowhere.pem\", key = \"own.key\", authority = \"ours.pem\"")]
    [InlineData("userfault.cluster.tls.certificate", "certificate = \"text\", key = \"own.key\", authority = \"ours.pem\"")]
    [InlineData("userfault.cluster.tls.certificate", "certificate = \"own.pem\", key = \"text\", authority = \"ours.pem\"")]
    [InlineData("userfault.cluster.tls.certificate", "certificate = \"own.pem\", key = \"other.key\", authority = \"ours.pem\"")]
    [InlineData("userfault.cluster.tls.authority", "certificate = \"own.pem\", key = \"own.key\", authority = \"text\"")]
    public void Files_that_are_missing_or_are_something_else_are_refused_by_name(string key, string tls)
    {
        using var own = _ours.Sign();
        using var other = _ours.Sign();
        _folder.Write("own.pem", own.ExportCertificatePem());
        _folder.Write("own.key", own.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        _folder.Write("other.key", other.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        _folder.Write("ours.pem", _ours.Certificate.ExportCertificatePem());
        _folder.Write("text", "this is neither\nof them\n");
        Assert.NotNull(ClusterTls.Of(Load("certificate = \"own.pem\", key = \"own.key\", authority = \"ours.pem\"")));

        var refused = Assert.Throws<CliException>(() => ClusterTls.Of(Load(tls))).Message;

        Assert.StartsWith(key + ": ", refused, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused);
    }

    [Fact]
    public void A_certificate_that_ends_soon_is_warned_of()
    {
        using var own = _ours.Sign(toDays: 60);
        var tls = ClusterTls.Of(Settings.Load(_ours.Settings(_folder, certificate: own)))!;
        Assert.Null(tls.Warning(TestAuthority.Now.AddDays(29)));
        Assert.Contains("userfault.cluster.tls.certificate", tls.Warning(TestAuthority.Now.AddDays(31)), StringComparison.Ordinal);
    }

    [Fact]
    public void Refusals_are_said_once_a_second_and_counted()
    {
        var said = new List<string>();
        var time = new ManualTime();
        var log = new RefusalLog(said.Add, time);
        for (var i = 0; i < 1000; i++) log.Say($"peer {i}");
        time.Now = 1_000_000_000;
        log.Say("the last");
        Assert.Equal(["peer 0", "the last (and 999 more refused)"], said);
    }

    private static string Refused(string settings) => Assert.Throws<CliException>(() => ClusterTls.Of(Settings.Load(settings))).Message;

    private Settings Load(string tls) => Settings.Load(_folder.Write("tls.hocon", $"userfault.cluster.tls {{ {tls} }}"));

    private sealed class ManualTime : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => 1_000_000_000;

        public override long GetTimestamp() => Now;
    }
}
