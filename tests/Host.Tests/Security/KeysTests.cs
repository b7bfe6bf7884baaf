using System.Security.Cryptography.X509Certificates;
using Userfault.Cli;

namespace Userfault.Host.Tests.Security;

/// <summary>What <c>userfault cluster keys</c> makes.</summary>
public sealed class KeysTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Keys => _folder.At("keys");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_calls_make_an_authority_and_nodes_that_trust_each_other()
    {
        var first = await CommandLine.Run("cluster", "keys", Keys);
        Assert.Equal((0, ""), (first.ExitCode, first.Error));
        var before = Files();
        Assert.Equal(
            ["authority.key", "authority.pem", .. Enumerable.Range(1, 3).SelectMany(n => new[] { $"node-{n}.hocon", $"node-{n}.key", $"node-{n}.pem" })],
            before.Keys);

        Assert.Equal(0, (await CommandLine.Run("cluster", "keys", Keys, "--nodes", "2", "--days", "7")).ExitCode);

        var after = Files();
        Assert.All(before, file => Assert.Equal(file.Value, after[file.Key]));
        Assert.Equal(before.Count + 6, after.Count);
        foreach (var number in Enumerable.Range(1, 5)) Assert.NotNull(ClusterTls.Of(Settings.Load(Path.Combine(Keys, $"node-{number}.hocon"))));
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(owner | UnixFileMode.UserExecute, File.GetUnixFileMode(Keys));
        foreach (var name in after.Keys.Where(name => name.EndsWith(".key", StringComparison.Ordinal)))
            Assert.Equal(owner, File.GetUnixFileMode(Path.Combine(Keys, name)));
    }

    [Fact]
    public void Certificates_say_what_they_are_for_and_until_when()
    {
        var now = TestAuthority.Now;
        var made = new KeyFolder(Keys).Make(1, 30, now);
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Keys, "authority.pem"));
        using var node = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Keys, "node-1.pem"));

        Assert.Equal((1, 1, true), (made.First, made.Last, made.IsNewAuthority));
        Assert.Null(PeerCheck.WhyNoAuthority(authority));
        Assert.Equal(0, authority.Extensions.OfType<X509BasicConstraintsExtension>().Single().PathLengthConstraint);
        Assert.Equal("CN=node-1", node.Subject);
        Assert.Equal("1.2.840.10045.2.1", node.PublicKey.Oid.Value);
        Assert.Equal(X509KeyUsageFlags.DigitalSignature, node.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.Equal(
            [TestAuthority.Server, TestAuthority.Client],
            node.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Select(o => o.Value));
        Assert.Equal(
            authority.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.ToArray(),
            node.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value.ToArray());
        Assert.True(node.MatchesHostname("node-1") && node.MatchesHostname("userfault"));
        Assert.InRange(node.NotBefore.ToUniversalTime(), now.UtcDateTime.AddHours(-2), now.UtcDateTime);
        Assert.InRange(node.NotAfter.ToUniversalTime(), now.UtcDateTime.AddDays(30).AddSeconds(-1), now.UtcDateTime.AddDays(30));
        Assert.InRange(authority.NotAfter.ToUniversalTime(), now.UtcDateTime.AddDays(3650).AddSeconds(-1), now.UtcDateTime.AddDays(3650));
    }

    // An hour is left on the authority's clock; a longer life is asked for at once.
    [Theory]
    [InlineData(3651)]
    [InlineData(36500)]
    public void A_new_authority_lives_as_long_as_its_nodes(int days) =>
        Assert.Equal(TestAuthority.Now.AddDays(days).Date, new KeyFolder(Keys).Make(1, days, TestAuthority.Now).AuthorityEnds.UtcDateTime.Date);

    [Theory]
    [InlineData("authority.key", "authority.key")]
    [InlineData("authority.pem", "authority.pem")]
    [InlineData("authority.*", "and not the authority")]
    public async Task An_authority_that_is_not_whole_signs_nothing(string lost, string said)
    {
        new KeyFolder(Keys).Make(1, 30, TestAuthority.Now);
        foreach (var file in Directory.GetFiles(Keys, lost)) File.Delete(file);
        var before = Files();
        (await CommandLine.Run("cluster", "keys", Keys)).IsBadInput(said);
        Assert.Equal(before, Files());
    }

    [Theory]
    [InlineData("--nodes", "--nodes", "0")]
    [InlineData("--nodes", "--nodes", "many")]
    [InlineData("--days", "--days", "0")]
    public async Task Options_that_do_not_fit_are_refused_by_name(string named, params string[] args)
    {
        (await CommandLine.Run(["cluster", "keys", Keys, .. args])).IsBadInput(named);
        Assert.False(Directory.Exists(Keys));
    }

    [Fact]
    public async Task What_cannot_be_signed_or_written_is_said_in_one_line()
    {
        (await CommandLine.Run("cluster", "keys")).IsBadInput("'keys'");
        (await CommandLine.Run("cluster", "keys", _folder.Write("file", "x"))).IsBadInput("file");

        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_folder.At("open"));
            File.SetUnixFileMode(_folder.At("open"), (UnixFileMode)0x1ff);
            (await CommandLine.Run("cluster", "keys", _folder.At("open"))).IsBadInput("any user can write");
        }

        new KeyFolder(Keys).Make(1, 30, TestAuthority.Now);
        (await CommandLine.Run("cluster", "keys", Keys, "--days", "3651")).IsBadInput("--days 3651", "authority.pem ends on");

        using var other = TestAuthority.Create();
        File.WriteAllText(Path.Combine(Keys, "authority.pem"), other.Certificate.ExportCertificatePem());
        (await CommandLine.Run("cluster", "keys", Keys)).IsBadInput("authority.pem");
    }

    private SortedDictionary<string, string> Files() =>
        new(Directory.GetFiles(Keys).ToDictionary(file => Path.GetFileName(file), File.ReadAllText), StringComparer.Ordinal);
}
