using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Akka.Configuration;

namespace Akka.Remote.Transport;

/// <summary>
/// TLS with both sides showing a certificate. Peers are trusted by the authority that signed them, not by a host name:
/// the cluster's authority signs nothing but its nodes.
/// </summary>
internal sealed class TlsSettings
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _authorities = [];
    private readonly bool _suppressValidation;

    public TlsSettings(Config ssl)
    {
        _certificate = X509CertificateLoader.LoadPkcs12FromFile(
            ssl.GetString("certificate.path"), ssl.GetString("certificate.password"));
        _suppressValidation = ssl.GetBoolean("suppress-validation");
        var authority = ssl.GetString("certificate-authority", "");
        if (authority.Length > 0)
            _authorities.ImportFromPemFile(authority);
        else if (!_suppressValidation)
            throw new ConfigurationException("akka.remote.dot-netty.tcp.ssl needs a certificate-authority");
    }

    public Stream Authenticate(Stream stream, bool isServer)
    {
        var secure = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            if (isServer)
            {
                secure.AuthenticateAsServer(new SslServerAuthenticationOptions
                {
                    ServerCertificate = _certificate,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTrusted(certificate),
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                });
            }
            else
            {
                secure.AuthenticateAsClient(new SslClientAuthenticationOptions
                {
                    TargetHost = "cluster",
                    ClientCertificates = [_certificate],
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTrusted(certificate),
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                });
            }
            return secure;
        }
        catch
        {
            secure.Dispose();
            throw;
        }
    }

    private bool IsTrusted(X509Certificate? shown)
    {
        if (shown is not X509Certificate2 certificate)
            return false;
        if (_suppressValidation)
            return true;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }
}
