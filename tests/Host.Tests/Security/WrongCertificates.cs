using System.Security.Cryptography.X509Certificates;

namespace Userfault.Host.Tests.Security;

/// <summary>Certificates that no node of a cluster may use, by name.</summary>
internal static class WrongCertificates
{
    private const string AnyUse = "2.5.29.37.0";

    /// <summary>Each with the authority that is trusted, and with what is said of it.</summary>
    public static readonly Dictionary<string, (Func<TestAuthority, X509Certificate2> Make, string Said)> All = new()
    {
        ["another authority"] = (_ => TestAuthority.Create("theirs").Sign(), "not signed by the cluster's authority"),
        ["another authority of the same name"] = (_ => TestAuthority.Create("ours").Sign(), "not signed by the cluster's authority"),
        ["self-signed"] = (_ => TestAuthority.SelfSigned(), "not signed by the cluster's authority"),
        ["self-signed in the authority's name"] = (_ => TestAuthority.Create("ours", isAuthority: false, usage: X509KeyUsageFlags.DigitalSignature).Certificate, "not signed by the cluster's authority"),
        ["expired"] = (ours => ours.Sign(-3, -1), "has expired or is not valid yet"),
        ["not valid yet"] = (ours => ours.Sign(1, 3), "has expired or is not valid yet"),
        ["no use"] = (ours => ours.Sign(uses: []), "no serverAuth"),
        ["any use"] = (ours => ours.Sign(uses: [AnyUse]), "no serverAuth"),
        ["another use"] = (ours => ours.Sign(uses: ["1.3.6.1.5.5.7.3.4"]), "no serverAuth"),
        ["no signatures"] = (ours => ours.Sign(usage: X509KeyUsageFlags.CrlSign), "without digitalSignature"),
        ["another authority below ours"] = (ours => ours.Sign(isAuthority: true, usage: X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature), "is an authority's and not a node's"),
        ["signed by a node"] = (ours => TestAuthority.SignBy(ours.Sign()), "not signed by the cluster's authority"),
        ["signed by an authority below ours"] = (ours => TestAuthority.SignBy(ours.Sign(isAuthority: true, usage: X509KeyUsageFlags.KeyCertSign)), "not signed by the cluster's authority"),
        ["the authority's own"] = (ours => ours.Certificate, "the authority's own"),
    };

    /// <summary>Their names, for tables.</summary>
    public static TheoryData<string> Names => [.. All.Keys];
}
