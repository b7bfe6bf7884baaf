using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Userfault.Cli;

/// <summary>
/// Is the other end one of the cluster's? The one check of membership, pages and metrics, in both directions. A certificate is
/// trusted by the authority that signed it and not by a name: the cluster's authority signs nothing but the cluster's nodes.
/// </summary>
/// <param name="authorities">The cluster's authorities: one, or two while one takes the place of the other.</param>
internal sealed class PeerCheck(X509Certificate2Collection authorities)
{
    internal const string ServerOid = "1.3.6.1.5.5.7.3.1";
    internal const string ClientOid = "1.3.6.1.5.5.7.3.2";
    private const int MaxNameLength = 64;

    /// <summary>Returns true, or says why this end does not talk to the other.</summary>
    /// <param name="shown">What the other end shows.</param>
    /// <param name="use">What it has to be for.</param>
    /// <exception cref="AuthenticationException">It is not trusted; the message is half a line that says why.</exception>
    public bool Demand(X509Certificate? shown, CertificateUse use) =>
        WhyNot(shown, use) is { } why ? throw new AuthenticationException(why) : true;

    /// <summary>Why a certificate is not trusted; null where it is.</summary>
    /// <param name="shown">What the other end shows.</param>
    /// <param name="use">What it has to be for.</param>
    public string? WhyNot(X509Certificate? shown, CertificateUse use)
    {
        if (shown is not X509Certificate2 certificate) return "it shows no certificate";
        try
        {
            return WhyNotUsable(certificate, use) is { } why ? $"certificate {NameOf(certificate)} {why}" : null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Extensions are decoded when they are read, and their bytes are the other end's.
            return $"its certificate cannot be read: {e.GetType().Name}";
        }
    }

    /// <summary>Why a certificate is not fit to be a cluster's authority; null where it is.</summary>
    /// <param name="authority">The certificate.</param>
    public static string? WhyNoAuthority(X509Certificate2 authority)
    {
        try
        {
            var constraints = authority.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();
            if (constraints?.CertificateAuthority != true) return "is no authority's certificate (basic constraints)";
            var usage = authority.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault();
            if (usage?.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign) != true)
                return "is not for signing certificates (key usage without keyCertSign)";
            if (!authority.SubjectName.RawData.AsSpan().SequenceEqual(authority.IssuerName.RawData))
                return "is signed by another authority: name the one at the root";
            using var chain = ChainOf([authority], CertificateUse.Node, demandUse: false);
            return chain.Build(authority) ? null : Reason(chain.ChainStatus);
        }
        catch (CryptographicException e)
        {
            return $"cannot be read: {e.Message.ReplaceLineEndings(" ")}";
        }
    }

    private string? WhyNotUsable(X509Certificate2 certificate, CertificateUse use)
    {
        if (authorities.Any(a => IsSame(a, certificate))) return "is the authority's own, which no node may use";
        if (certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(c => c.CertificateAuthority))
            return "is an authority's and not a node's";
        using var chain = ChainOf(authorities, use, demandUse: true);
        // What the authority has signed is trusted, and not what others have signed for it.
        if (!chain.Build(certificate)) return Reason(chain.ChainStatus);
        if (chain.ChainElements.Count != 2 || !authorities.Any(a => IsSame(a, chain.ChainElements[1].Certificate)))
            return "is not signed by the cluster's authority itself";
        // A certificate without a list of uses would pass as one for every use.
        var uses = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .SelectMany(e => e.EnhancedKeyUsages.Cast<Oid>()).Select(o => o.Value).ToList();
        if (use.HasFlag(CertificateUse.Server) && !uses.Contains(ServerOid)) return "is not for a server (no serverAuth)";
        if (use.HasFlag(CertificateUse.Client) && !uses.Contains(ClientOid)) return "is not for a client (no clientAuth)";
        if (certificate.Extensions.OfType<X509KeyUsageExtension>().Any(e => !e.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature)))
            return "is not for signatures (key usage without digitalSignature)";
        return null;
    }

    private static X509Chain ChainOf(X509Certificate2Collection roots, CertificateUse use, bool demandUse)
    {
        var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        if (demandUse && use.HasFlag(CertificateUse.Server)) chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerOid));
        if (demandUse && use.HasFlag(CertificateUse.Client)) chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientOid));
        return chain;
    }

    private static string Reason(X509ChainStatus[] status)
    {
        var all = status.Aggregate(X509ChainStatusFlags.NoError, (sum, s) => sum | s.Status);
        return all switch
        {
            _ when (all & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != 0
                => "is not signed by the cluster's authority",
            _ when all.HasFlag(X509ChainStatusFlags.NotTimeValid) => "has expired or is not valid yet",
            _ when all.HasFlag(X509ChainStatusFlags.NotValidForUsage) => "is not for this use (no serverAuth or no clientAuth)",
            _ => $"is not valid: {all}",
        };
    }

    private static bool IsSame(X509Certificate2 one, X509Certificate2 other) => one.RawDataMemory.Span.SequenceEqual(other.RawDataMemory.Span);

    // What a stranger calls itself ends up in logs and terminals: control characters do not.
    private static string NameOf(X509Certificate2 certificate)
    {
        var name = string.Concat(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false).Select(c => char.IsControl(c) ? '?' : c));
        return name.Length <= MaxNameLength ? $"'{name}'" : $"'{name[..MaxNameLength]}...'";
    }
}
