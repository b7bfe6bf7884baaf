using System.Security.Cryptography.X509Certificates;
using Userfault.Cli;

namespace Userfault.Host.Tests.Security;

/// <summary>Certificates that no node of a cluster may use, by name.</summary>
internal static class WrongCertificates
{
    private const string AnyUse = "2.5.29.37.0";

    /// <summary>Each with the authority that is trusted, and with what is wrong with it.</summary>
    public static readonly Dictionary<string, (Func<TestAuthority, X509Certificate2> Make, PeerFault Fault)> All = new()
    {
        ["another authority"] = (_ => TestAuthority.Create("theirs").Sign(), PeerFault.ForeignAuthority),
        ["another authority of the same name"] = (_ => TestAuthority.Create("ours").Sign(), PeerFault.ForeignAuthority),
        ["self-signed"] = (_ => TestAuthority.SelfSigned(), PeerFault.ForeignAuthority),
        ["self-signed in the authority's name"] = (
            _ =>
                TestAuthority.Create("ours", isAuthority: false, usage: X509KeyUsageFlags.DigitalSignature).Certificate,
            PeerFault.ForeignAuthority
        ),
        ["expired"] = (ours => ours.Sign(-3, -1), PeerFault.OutOfDate),
        ["not valid yet"] = (ours => ours.Sign(1, 3), PeerFault.OutOfDate),
        ["no use"] = (ours => ours.Sign(uses: []), PeerFault.NoServerAuth),
        ["any use"] = (ours => ours.Sign(uses: [AnyUse]), PeerFault.NoServerAuth),
        ["another use"] = (ours => ours.Sign(uses: ["1.3.6.1.5.5.7.3.4"]), PeerFault.NoServerAuth),
        ["no signatures"] = (ours => ours.Sign(usage: X509KeyUsageFlags.CrlSign), PeerFault.NoSignatures),
        ["another authority below ours"] = (
            ours =>
                ours.Sign(isAuthority: true, usage: X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature),
            PeerFault.IsAuthority
        ),
        ["signed by a node"] = (ours => TestAuthority.SignBy(ours.Sign()), PeerFault.ForeignAuthority),
        ["signed by an authority below ours"] = (
            ours => TestAuthority.SignBy(ours.Sign(isAuthority: true, usage: X509KeyUsageFlags.KeyCertSign)),
            PeerFault.ForeignAuthority
        ),
        ["the authority's own"] = (ours => ours.Certificate, PeerFault.OwnAuthority),
    };

    /// <summary>Their names, for tables.</summary>
    public static TheoryData<string> Names => [.. All.Keys];
}
