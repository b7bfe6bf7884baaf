using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// TLS with both ends showing a certificate, for membership, pages and metrics: this node's, and whom it trusts.
/// </summary>
internal sealed class ClusterTls
{
    /// <summary>
    /// A name in every node's certificate, for clients that want to see one. Trust does not rest on it.
    /// </summary>
    public const string ServerName = "userfault";

    private const string Section = "cluster.tls";
    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);

    private readonly X509Certificate2 _certificate;
    private readonly SslStreamCertificateContext _context;
    private readonly PeerCheck _check;

    private ClusterTls(X509Certificate2 certificate, PeerCheck check)
    {
        (_certificate, _check) = (certificate, check);
        _context = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);
    }

    /// <summary>What a server of pages or metrics asks of its clients.</summary>
    public SslServerAuthenticationOptions Server =>
        new()
        {
            ServerCertificateContext = _context,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, shown, _, _) => _check.Demand(shown, CertificateUse.Client),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = false,
        };

    /// <summary>What a client asks of a server of pages.</summary>
    public SslClientAuthenticationOptions Client =>
        new()
        {
            TargetHost = ServerName,
            ClientCertificateContext = _context,
            RemoteCertificateValidationCallback = (_, shown, _, _) => _check.Demand(shown, CertificateUse.Server),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = false,
        };

    /// <summary>TLS of the membership.</summary>
    /// <param name="refused">Told of each node that is refused: which, and why. Called on any thread.</param>
    public NodeTls Node(Action<string> refused) =>
        new(
            _certificate,
            (shown, peer) =>
            {
                var why = _check.WhyNot(shown, CertificateUse.Node);
                // Without any certificate this is a server whose connection was closed meanwhile: clients without one
                // do not come here.
                if (why is not null && shown is not null)
                    refused($"{PlaceOf(peer)}: {why}");
                return why is null;
            }
        );

    /// <summary>A line about a certificate that is about to expire; null where there is time.</summary>
    /// <param name="now">The time.</param>
    public string? Warning(DateTimeOffset now) =>
        _certificate.NotAfter.ToUniversalTime() - now.UtcDateTime < Soon
            ? $"userfault.{Section}.certificate ends on {_certificate.NotAfter:yyyy-MM-dd}: make new ones with "
                + $"`userfault cluster keys DIR`"
            : null;

    /// <summary>What the settings name; null where no certificate is named.</summary>
    /// <param name="settings">The settings.</param>
    /// <exception cref="CliException">A file that is missing, is none of its kind, or is not what it is named
    /// as.</exception>
    public static ClusterTls? Of(Settings settings)
    {
        var (certificateName, certificate) = settings.FileAt($"{Section}.certificate");
        var (keyName, key) = settings.FileAt($"{Section}.key");
        var (authorityName, authority) = settings.FileAt($"{Section}.authority");
        (string Name, string Path)[] files =
        [
            (certificateName, certificate),
            (keyName, key),
            (authorityName, authority),
        ];
        if (files.All(f => f.Path.Length == 0))
            return null;
        foreach (var (name, path) in files)
        {
            if (path.Length == 0)
                throw new CliException($"{name}: is not set; TLS needs certificate, key and authority");
            if (!File.Exists(path))
                throw new CliException($"{name}: there is no file {path}");
        }

        var authorities = Read(authorityName, authority, Authorities);
        foreach (var one in authorities)
        {
            if (PeerCheck.WhyNoAuthority(one) is { } why)
                throw new CliException($"{authorityName}: {authority} {why}");
        }

        var own = Read(certificateName, certificate, path => Own(path, key));
        var check = new PeerCheck(authorities);
        return check.WhyNot(own, CertificateUse.Node) is { } not
            ? throw new CliException($"{certificateName}: {certificate}: {not}")
            : new ClusterTls(own, check);
    }

    // A node that is dialed comes with its address among actors, one that dials with its socket's, which may be IPv4
    // within IPv6.
    private static string PlaceOf(string peer)
    {
        var place = peer[(peer.LastIndexOf('@') + 1)..];
        return IPEndPoint.TryParse(place, out var at) && at.Address.IsIPv4MappedToIPv6
            ? $"{at.Address.MapToIPv4()}:{at.Port}"
            : place;
    }

    private static X509Certificate2Collection Authorities(string path)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(path);
        return authorities.Count > 0 ? authorities : throw new CryptographicException("there is no certificate in it");
    }

    private static X509Certificate2 Own(string path, string key)
    {
        var certificate = X509Certificate2.CreateFromPemFile(path, key);
        // Windows cannot use a key in TLS that is in memory alone.
        return OperatingSystem.IsWindows()
            ? X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null)
            : certificate;
    }

    private static T Read<T>(string name, string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e)
            when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{name}: {path} cannot be used: {e.Message.ReplaceLineEndings(" ")}");
        }
    }
}
