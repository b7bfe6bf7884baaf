using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Userfault.Paging.Tests.DataPlane;

/// <summary>A self-signed certificate for one test; either end accepts this one and no other.</summary>
internal sealed class TestCertificate : IDisposable
{
    private readonly X509Certificate2 _certificate;

    private TestCertificate(X509Certificate2 certificate) => _certificate = certificate;

    public static TestCertificate Create(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        // Once through PKCS#12: some platforms cannot serve with a key that is only in memory.
        return new TestCertificate(X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), password: null));
    }

    public SslServerAuthenticationOptions ForServer(bool mutual = false) => new()
    {
        ServerCertificate = _certificate,
        ClientCertificateRequired = mutual,
        RemoteCertificateValidationCallback = (_, theirs, _, _) =>
            !mutual || IsThis(theirs),
    };

    public SslClientAuthenticationOptions ForClient(bool mutual = false) => new()
    {
        TargetHost = "localhost",
        ClientCertificates = mutual ? [_certificate] : null,
        RemoteCertificateValidationCallback = (_, theirs, _, _) => IsThis(theirs),
    };

    public void Dispose() => _certificate.Dispose();

    // True, or why it is not trusted.
    private bool IsThis(X509Certificate? theirs)
    {
        if (theirs is null)
        {
            throw new AuthenticationException("no certificate");
        }
        return theirs.GetRawCertData().AsSpan().SequenceEqual(_certificate.RawData)
            ? true
            : throw new AuthenticationException("another certificate");
    }
}
