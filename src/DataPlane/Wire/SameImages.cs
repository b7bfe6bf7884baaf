using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// Which identities are of one image. A server whose image was not read whole when it began offers it by a provisional
/// identity, and by the one that covers every page as well once it knows that: then both are of one image. Others are
/// not, however alike their samples.
/// </summary>
public static class SameImages
{
    /// <summary>All that are known to be of one image with <paramref name="image"/>; those that cover every page
    /// first.</summary>
    /// <param name="image">One identity of the image.</param>
    /// <param name="servers">What each server offers.</param>
    public static IReadOnlyList<ImageIdentity> Of(
        ImageIdentity image,
        IReadOnlyList<IReadOnlyList<ImageIdentity>> servers
    )
    {
        ArgumentNullException.ThrowIfNull(servers);
        var known = new List<ImageIdentity> { image };
        for (var i = 0; i < known.Count; i++)
        {
            foreach (var server in servers)
            {
                if (server.Contains(known[i]))
                    known.AddRange(server.Where(other => IsOtherName(other, known[i]) && !known.Contains(other)));
            }
        }

        return [.. known.OrderBy(static k => k.IsProvisional)];
    }

    /// <summary>The images that servers offer, each by all of its identities.</summary>
    /// <param name="servers">What each server offers.</param>
    public static IReadOnlyList<IReadOnlyList<ImageIdentity>> Groups(
        IReadOnlyList<IReadOnlyList<ImageIdentity>> servers
    )
    {
        ArgumentNullException.ThrowIfNull(servers);
        var groups = new List<IReadOnlyList<ImageIdentity>>();
        foreach (var image in servers.SelectMany(static s => s))
        {
            if (!groups.Exists(group => group.Contains(image)))
                groups.Add(Of(image, servers));
        }

        return groups;
    }

    /// <summary>
    /// Could several of these turn out to be one image, when all servers have read theirs whole? Until then they are
    /// not mixed.
    /// </summary>
    public static bool AreUndecided(IReadOnlyList<IReadOnlyList<ImageIdentity>> groups)
    {
        ArgumentNullException.ThrowIfNull(groups);
        for (var i = 0; i < groups.Count; i++)
        {
            for (var j = i + 1; j < groups.Count; j++)
            {
                if (
                    groups[i][0].IsSameSample(groups[j][0])
                    && (groups[i][0].IsProvisional || groups[j][0].IsProvisional)
                )
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool IsOtherName(ImageIdentity one, ImageIdentity other) =>
        one.IsSameSample(other) && one.IsProvisional != other.IsProvisional;
}
