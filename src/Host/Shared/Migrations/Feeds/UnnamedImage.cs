namespace Userfault.Cli;

/// <summary>Which image a destination works on where its options name none.</summary>
internal enum UnnamedImage
{
    /// <summary>The one that the cluster's nodes serve.</summary>
    AdoptFromCluster,

    /// <summary>The synthetic image that every command makes without options.</summary>
    MakeSynthetic,
}
