namespace Userfault.Cli;

/// <summary>What is wrong with a certificate. Its name stands in parentheses in the message.</summary>
internal enum PeerFault
{
    /// <summary>None was shown.</summary>
    NoCertificate,

    /// <summary>Its bytes cannot be decoded.</summary>
    Unreadable,

    /// <summary>It is the authority's own.</summary>
    OwnAuthority,

    /// <summary>It is an authority's and not a node's.</summary>
    IsAuthority,

    /// <summary>Another authority signed it, or one below the cluster's.</summary>
    ForeignAuthority,

    /// <summary>It has expired or is not valid yet.</summary>
    OutOfDate,

    /// <summary>It is not for a server.</summary>
    NoServerAuth,

    /// <summary>It is not for a client.</summary>
    NoClientAuth,

    /// <summary>It is not for signatures.</summary>
    NoSignatures,

    /// <summary>The platform refuses it for another reason, which the message names.</summary>
    Invalid,

    /// <summary>Meant to be an authority's, it is none.</summary>
    NotAuthority,

    /// <summary>An authority's that is not for signing certificates.</summary>
    NoKeyCertSign,

    /// <summary>An authority's that another authority signed.</summary>
    BelowAnother,
}
