using Userfault.DataPlane;

namespace Userfault.Nodes;

/// <summary>The sources that a node knows of, as its data plane lists them to clients (LIST).</summary>
public static class SourceDirectory
{
    /// <summary>A node's own offers, and those of all usable sources.</summary>
    /// <param name="own">The offers of the node itself, with their addresses.</param>
    /// <param name="nodes">The members of its cluster.</param>
    public static IReadOnlyList<SourceListing> Of(IReadOnlyList<SourceListing> own, IReadOnlyList<ClusterNode> nodes)
    {
        // Without an address: the client already has one at which it reaches this node.
        List<SourceListing> known = [.. own.Select(static o => o with { Host = "", Port = 0 })];
        foreach (var node in nodes.Where(static n => n.IsUsable && n.Roles.Contains(NodeRoles.Source)))
        {
            foreach (var offer in node.Report?.Offers ?? [])
            {
                var host = offer.Host.Length > 0 ? offer.Host : node.Address.Host;
                if (!own.Any(o => o.Host == host && o.Port == offer.Port))
                    known.Add(offer with { Host = host });
            }
        }

        return known;
    }
}
