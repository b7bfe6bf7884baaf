using Akka.Actor;

namespace Userfault.Cli;

/// <summary>The cluster that a migration's pages come from, and how this process takes part in it.</summary>
/// <param name="Option">The option that named the nodes, for messages.</param>
/// <param name="Nodes">Nodes to join at; asked for once nothing is wrong with what was given.</param>
internal sealed record ClusterRequest(string Option, Func<Task<IReadOnlyList<Address>>> Nodes)
{
    /// <summary>TCP port of the cluster; 0 is any free one.</summary>
    public int Port { get; init; }

    /// <summary>Where the cluster does not have the image yet.</summary>
    public ImageAbsence WhenImageIsAbsent { get; init; } = ImageAbsence.Fail;

    /// <summary>Where the options name no image: the one that the cluster has, or the synthetic default.</summary>
    public UnnamedImage Unnamed { get; init; } = UnnamedImage.AdoptFromCluster;
}
