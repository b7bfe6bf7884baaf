using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>An authority of its own in a directory of its own, and the certificates that it has signed.</summary>
internal sealed class Certificates : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2120, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("userfault-tls-");
    private readonly X509Certificate2 _authority;
    private byte _serial;

    public Certificates(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(From, Until);
        AuthorityPath = Path.Combine(_directory.FullName, "authority.pem");
        File.WriteAllText(AuthorityPath, _authority.ExportCertificatePem());
    }

    public string AuthorityPath { get; }

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }

    /// <summary>A node's settings: its own certificate, and the authority that it trusts.</summary>
    public string Node(Certificates? trusts = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=node {_serial}", key, HashAlgorithmName.SHA256);
        using var signed = request.Create(_authority, From, Until, [++_serial]);
        using var whole = signed.CopyWithPrivateKey(key);
        var path = Path.Combine(_directory.FullName, $"{_serial}.pfx");
        File.WriteAllBytes(path, whole.Export(X509ContentType.Pfx, "secret"));
        return $$"""
            akka.remote.dot-netty.tcp {
              enable-ssl = on
              ssl {
                certificate { path = "{{path}}", password = secret }
                certificate-authority = "{{(trusts ?? this).AuthorityPath}}"
              }
            }
            """;
    }
}
