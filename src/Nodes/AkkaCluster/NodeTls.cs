using System.Security.Cryptography.X509Certificates;
using Akka.Remote.Transport.DotNetty;

namespace Userfault.Nodes;

/// <summary>
/// TLS of the membership: both ends present a certificate, and each decides whether it trusts the other's. A node is
/// the server of some connections and the client of others, so the same check serves both.
/// </summary>
/// <param name="Certificate">This node's certificate, with its key.</param>
/// <param name="IsTrusted">
/// Does this certificate belong to a node of the cluster? Also receives Akka.Remote's name of the other end. Called on
/// any thread.
/// </param>
public sealed record NodeTls(X509Certificate2 Certificate, Func<X509Certificate2?, string, bool> IsTrusted)
{
    // With mutual authentication DotNetty's server requires a certificate and closes the connection without one. Its
    // own checks, which know only the system's authorities, are replaced by this validator in both directions.
    internal DotNettySslSetup Setup =>
        new(
            Certificate,
            suppressValidation: false,
            requireMutualAuthentication: true,
            customValidator: (shown, _, peer, _, _) => IsTrusted(shown, peer)
        );
}
