using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Simulation.Cluster;

/// <summary>
/// The page data plane of a run's destination, which notifies the checkers of every request and answer.
/// </summary>
internal sealed class WatchedPlane(IPagePlane plane, SwarmView view) : IPagePlane
{
    public IPageSource Connect(PageLinkTarget target, PageClientOptions options, IPageLinkOwner owner) =>
        new WatchedLink(plane, target, options, owner, view);

    public bool HasManifests => plane.HasManifests;

    public IPageListener Listen(
        PageServerOptions options,
        IPageSource source,
        IPageSource? unlisted = null,
        Func<IReadOnlyList<SourceListing>>? directory = null
    ) => plane.Listen(options, source, unlisted, directory);
}
