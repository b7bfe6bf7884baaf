namespace Userfault.Cli;

/// <summary>What a certificate has to be for.</summary>
[Flags]
internal enum CertificateUse
{
    /// <summary>To be connected to.</summary>
    Server = 1,

    /// <summary>To connect to others.</summary>
    Client = 2,

    /// <summary>To be a member of a cluster, which does both.</summary>
    Node = Server | Client,
}
