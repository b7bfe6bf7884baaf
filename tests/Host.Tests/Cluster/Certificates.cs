using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Userfault.Host.Tests.Cluster;

/// <summary>An authority, and settings for nodes that it has signed.</summary>
internal sealed class Certificates(TemporaryFolder folder, string name) : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2120, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 _authority = Make(name);
    private byte _serial;

    public void Dispose() => _authority.Dispose();

    /// <summary>A node's settings file: a certificate of its own, and this authority.</summary>
    public string Node(string more = "")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = new CertificateRequest($"CN=node {++_serial}", key, HashAlgorithmName.SHA256).Create(_authority, From, Until, [_serial]);
        using var whole = signed.CopyWithPrivateKey(key);
        var certificate = folder.Write($"{name}-{_serial}.pfx", whole.Export(X509ContentType.Pfx, "secret"));
        var authority = folder.Write($"{name}.pem", _authority.ExportCertificatePem());
        return folder.Write($"{name}-{_serial}.hocon", $$"""
            userfault.cluster {
              tls { certificate = "{{certificate}}", password = secret, authority = "{{authority}}" }
              {{more}}
            }
            """);
    }

    private static X509Certificate2 Make(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(From, Until);
    }
}
