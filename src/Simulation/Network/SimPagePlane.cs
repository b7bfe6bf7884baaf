using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// The page data plane of one host over a simulated network, with only the faults that the one over TCP exposes.
/// </summary>
internal sealed class SimPagePlane(SimNetwork network, SimHost host) : IPagePlane
{
    private const int FirstPort = 7000;
    private readonly int _process = host.Incarnation;

    public IPageSource Connect(PageLinkTarget target, PageClientOptions options, IPageLinkOwner owner) =>
        new SimPageLink(network, host, _process, target, options.Image, owner);

    public bool HasManifests => false;

    public IPageListener Listen(
        PageServerOptions options,
        IPageSource source,
        IPageSource? unlisted = null,
        Func<IReadOnlyList<SourceListing>>? directory = null
    )
    {
        var port = FirstPort;
        while (host.Listeners.ContainsKey(port))
            port++;
        return new SimPageListener(network, host, port, source);
    }
}
