using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Userfault.Host.Tests.Security;

/// <summary>Makes certificates, right ones and wrong ones, and the settings files that name them.</summary>
internal sealed class TestAuthority : IDisposable
{
    public const string Server = "1.3.6.1.5.5.7.3.1";
    public const string Client = "1.3.6.1.5.5.7.3.2";

    private byte _serial;

    private TestAuthority(X509Certificate2 certificate) => Certificate = certificate;

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>Its certificate, with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>An authority that signs itself.</summary>
    public static TestAuthority Create(
        string name = "ours", int fromDays = -1000, int toDays = 1000, bool isAuthority = true,
        X509KeyUsageFlags? usage = X509KeyUsageFlags.KeyCertSign)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        if (usage is { } uses) request.CertificateExtensions.Add(new X509KeyUsageExtension(uses, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return new TestAuthority(request.CreateSelfSigned(Now.AddDays(fromDays), Now.AddDays(toDays)));
    }

    public void Dispose() => Certificate.Dispose();

    /// <summary>A certificate that it has signed, with its key; right where nothing else is said.</summary>
    public X509Certificate2 Sign(
        int fromDays = -1, int toDays = 1, string[]? uses = null, bool isAuthority = false,
        X509KeyUsageFlags usage = X509KeyUsageFlags.DigitalSignature, string name = "node") =>
        Make(Certificate, fromDays, toDays, uses ?? [Server, Client], isAuthority, usage, name, ++_serial);

    /// <summary>A certificate that another one has signed, which need not be allowed to.</summary>
    public static X509Certificate2 SignBy(X509Certificate2 issuer) =>
        Make(issuer, -1, 1, [Server, Client], false, X509KeyUsageFlags.DigitalSignature, "node", 7);

    /// <summary>A certificate of nobody's but its own.</summary>
    public static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Request(key, [Server, Client], false, X509KeyUsageFlags.DigitalSignature, "node").CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
    }

    /// <summary>Settings of a node with this certificate, or with one that this authority signs.</summary>
    public string Settings(TemporaryFolder folder, string more = "", X509Certificate2? certificate = null, TestAuthority? trusted = null)
    {
        var own = certificate ?? Sign();
        var name = $"{own.SerialNumber}-{own.Thumbprint[..8]}";
        folder.Write($"{name}.pem", own.ExportCertificatePem());
        folder.Write($"{name}.key", own.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        folder.Write($"{name}-authority.pem", (trusted ?? this).Certificate.ExportCertificatePem());
        return folder.Write($"{name}.hocon", $$"""
            userfault.cluster {
              tls { certificate = "{{name}}.pem", key = "{{name}}.key", authority = "{{name}}-authority.pem" }
              {{more}}
            }
            """);
    }

    // Signed by hand: a certificate that may not sign does so as well.
    private static X509Certificate2 Make(
        X509Certificate2 issuer, int fromDays, int toDays, string[] uses, bool isAuthority, X509KeyUsageFlags usage, string name, byte serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signer = issuer.GetECDsaPrivateKey()!;
        var request = Request(key, uses, isAuthority, usage, name);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var signed = request.Create(
            issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), Now.AddDays(fromDays), Now.AddDays(toDays), [1, serial]);
        return signed.CopyWithPrivateKey(key);
    }

    private static CertificateRequest Request(ECDsa key, string[] uses, bool isAuthority, X509KeyUsageFlags usage, string name)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (uses.Length == 0) return request;
        var oids = new OidCollection();
        foreach (var use in uses) oids.Add(new Oid(use));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(oids, false));
        return request;
    }
}
