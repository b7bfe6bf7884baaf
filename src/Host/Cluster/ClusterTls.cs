using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// TLS with both ends showing a certificate, for membership and for pages. Peers are trusted by the authority that signed
/// them and not by a name: the cluster's authority signs nothing but its nodes.
/// </summary>
internal sealed class ClusterTls
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _authorities = [];

    private ClusterTls(string path, string password, string authority)
    {
        (Path, Password, Authority) = (path, password, authority);
        _certificate = X509CertificateLoader.LoadPkcs12FromFile(path, password);
        _authorities.ImportFromPemFile(authority);
        if (!_certificate.HasPrivateKey || _authorities.Count == 0)
            throw new CryptographicException("the key or the authority's certificate is not in it");
    }

    /// <summary>TLS of the membership.</summary>
    public NodeTls Node => new(_certificate, IsTrusted);

    public string Path { get; }

    public string Password { get; }

    public string Authority { get; }

    /// <summary>What a data-plane server asks of its clients.</summary>
    public SslServerAuthenticationOptions Server => new()
    {
        ServerCertificate = _certificate,
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = (_, shown, _, _) => IsTrusted(shown),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
    };

    /// <summary>What a data-plane client asks of its server.</summary>
    public SslClientAuthenticationOptions Client => new()
    {
        TargetHost = ClusterSetup.SystemName,
        ClientCertificates = [_certificate],
        RemoteCertificateValidationCallback = (_, shown, _, _) => IsTrusted(shown),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
    };

    /// <summary>What the settings name; null where no certificate is named.</summary>
    /// <exception cref="CliException">A file that is missing or is none of its kind.</exception>
    public static ClusterTls? Of(Settings settings)
    {
        var (name, path) = settings.Get("cluster.tls.certificate");
        var (authorityName, authority) = settings.Get("cluster.tls.authority");
        if (path.Length == 0 && authority.Length == 0) return null;
        if (path.Length == 0 || authority.Length == 0)
            throw new CliException($"{name} and {authorityName}: TLS needs both");
        foreach (var (key, file) in new[] { (name, path), (authorityName, authority) })
        {
            if (!File.Exists(file)) throw new CliException($"{key}: there is no file {file}");
        }

        try
        {
            return new ClusterTls(path, settings.Get("cluster.tls.password").Value, authority);
        }
        catch (Exception e) when (e is CryptographicException or IOException)
        {
            throw new CliException($"{name}: {path} with {authority} cannot be used: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private bool IsTrusted(X509Certificate? shown)
    {
        if (shown is not X509Certificate2 certificate) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }
}
