using System.Security.Cryptography.X509Certificates;
using Akka.Remote.Transport.DotNetty;

namespace Userfault.Nodes;

/// <summary>
/// TLS of the membership: both ends show a certificate, and each decides whether it trusts the other's. A node is the
/// server of some connections and the client of others, so one question serves both.
/// </summary>
/// <param name="Certificate">This node's certificate, with its key.</param>
/// <param name="IsTrusted">
/// Is this certificate a node's of the cluster? Also told what Akka.Remote calls the other end. Called on any thread.
/// </param>
public sealed record NodeTls(X509Certificate2 Certificate, Func<X509Certificate2?, string, bool> IsTrusted)
{
    // With mutual authentication DotNetty's server demands a certificate and closes without one; its own checks, which know
    // the system's authorities alone, are replaced by this validator in both directions.
    internal DotNettySslSetup Setup => new(
        Certificate, suppressValidation: false, requireMutualAuthentication: true,
        customValidator: (shown, _, peer, _, _) => IsTrusted(shown, peer));
}
