using Userfault.Nodes;
using Userfault.Paging;

namespace Userfault.Simulation.Cluster;

/// <summary>The page data plane of a run's destination, with its checkers told what is asked over it and what comes.</summary>
internal sealed class WatchedPlane(IPagePlane plane, SwarmView view) : IPagePlane
{
    public IPageSource Connect(PageLinkTarget target, PageClientOptions options, IPageLinkOwner owner) =>
        new WatchedLink(plane, target, options, owner, view);

    public bool HasManifests => plane.HasManifests;

    public IPageListener Listen(PageServerOptions options, IPageSource source, IPageSource? unlisted = null) => plane.Listen(options, source, unlisted);
}
