using System.Security.Cryptography.X509Certificates;

namespace Userfault.Nodes;

/// <summary>TLS of the membership: both ends show a certificate, and each decides whether it trusts the other's.</summary>
/// <param name="Certificate">This node's certificate, with its key.</param>
/// <param name="IsTrusted">Is this one a node of the cluster? Called on any thread.</param>
public sealed record NodeTls(X509Certificate2 Certificate, Func<X509Certificate2?, bool> IsTrusted);
