using Userfault.DataPlane;

namespace Userfault.Nodes;

/// <summary>
/// A fetcher node's server as seen from outside its actor: the data for its report. Written only by
/// <see cref="RelayActor"/>, read from any thread.
/// </summary>
/// <param name="host">The address at which other nodes reach this node.</param>
/// <param name="serves">Called once, when pages are first available here.</param>
public sealed class Relay(string host, Action<SourceListing> serves)
{
    private volatile IPageListener? _server;
    private volatile ReplicatedSource? _source;

    /// <summary>The node's report about itself: it has an offer while there is a source.</summary>
    public NodeReport Report() =>
        _server is { } server && _source is { Replicas: > 0 } source
            ? new NodeReport([Listing(server, source)], server.PagesSent)
            : NodeReport.Nothing with
            {
                PagesSent = _server?.PagesSent ?? 0,
            };

    /// <summary>Pages requested a second time because the first request was slow.</summary>
    public long Hedged => _source?.Counters.Hedged ?? 0;

    internal void Serve(IPageListener server, ReplicatedSource source) => (_source, _server) = (source, server);

    internal void SayServes() => serves(Listing(_server!, _source!));

    private SourceListing Listing(IPageListener server, ReplicatedSource source) =>
        new(source.Identity, source.Pages, host, server.Port, source.Name);
}
