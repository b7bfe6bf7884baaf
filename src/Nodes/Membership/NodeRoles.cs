namespace Userfault.Nodes;

/// <summary>Roles of cluster members, as in akka.cluster.roles.</summary>
public static class NodeRoles
{
    /// <summary>Has an image and serves it.</summary>
    public const string Source = "source";

    /// <summary>Serves pages that it fetches from sources.</summary>
    public const string Fetcher = "fetcher";

    /// <summary>Migrates a guest to itself.</summary>
    public const string Destination = "destination";

    /// <summary>Only observes.</summary>
    public const string Observer = "observer";
}
