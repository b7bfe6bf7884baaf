using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Userfault.Cli;

/// <summary>A cluster's own authority: makes itself, and the certificates of nodes. All keys are ECDSA on P-256.</summary>
internal sealed class Authority : IDisposable
{
    private const int SerialBytes = 16;

    // Clocks of nodes differ: a certificate that was made just now is valid on one that is late.
    private static readonly TimeSpan Early = TimeSpan.FromHours(1);

    private readonly X509Certificate2 _certificate;

    private Authority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>The end of its validity: no node's certificate reaches beyond.</summary>
    public DateTimeOffset Ends => _certificate.NotAfter;

    /// <summary>A new authority.</summary>
    /// <param name="now">The time.</param>
    /// <param name="days">How long it is valid.</param>
    /// <returns>It, with its certificate and its key as PEM.</returns>
    public static (Authority Authority, string Certificate, string Key) Make(DateTimeOffset now, int days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Two authorities of one machine are told apart by people, too.
        var name = $"userfault cluster {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var certificate = request.CreateSelfSigned(now - Early, now.AddDays(days));
        return (new Authority(certificate), certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>An authority that was made before.</summary>
    /// <param name="certificate">File of its certificate, PEM.</param>
    /// <param name="key">File of its key, PEM.</param>
    /// <exception cref="CryptographicException">They are not that, or do not belong together.</exception>
    public static Authority Load(string certificate, string key)
    {
        var authority = X509Certificate2.CreateFromPemFile(certificate, key);
        if (PeerCheck.WhyNoAuthority(authority) is not { } why) return new Authority(authority);
        authority.Dispose();
        throw new CryptographicException(why);
    }

    /// <summary>A node's certificate, for both ends of a connection, and its key, as PEM.</summary>
    /// <param name="name">The node's name.</param>
    /// <param name="now">The time.</param>
    /// <param name="days">How long it is valid.</param>
    public (string Certificate, string Key) Issue(string name, DateTimeOffset now, int days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid(PeerCheck.ServerOid), new Oid(PeerCheck.ClientOid)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            _certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddDnsName(ClusterTls.ServerName);
        request.CertificateExtensions.Add(names.Build());
        // The first second of an authority's life is the first one of a node's at the earliest.
        var starts = now - Early > _certificate.NotBefore ? now - Early : _certificate.NotBefore;
        using var certificate = request.Create(_certificate, starts, now.AddDays(days), Serial());
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <inheritdoc/>
    public void Dispose() => _certificate.Dispose();

    // Positive, and not shorter for a zero in front.
    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)(serial[0] & 0x7f | 0x40);
        return serial;
    }
}
