using Userfault.Paging;

namespace Userfault.Nodes;

/// <summary>
/// A fetcher node's server as seen from outside its actor: what there is to report. Written by <see cref="RelayActor"/>
/// alone, read from any thread.
/// </summary>
/// <param name="host">The address under which others reach this node.</param>
/// <param name="serves">Told once, when pages can first be had here.</param>
public sealed class Relay(string host, Action<SourceListing> serves)
{
    private volatile IPageListener? _server;
    private volatile ReplicaSource? _source;

    /// <summary>What the node says of itself: its offer while a source is there.</summary>
    public NodeReport Report() => _server is { } server && _source is { Replicas: > 0 } source
        ? new NodeReport([Listing(server, source)], server.PagesSent)
        : NodeReport.Nothing with { PagesSent = _server?.PagesSent ?? 0 };

    /// <summary>Pages that were asked of a second source, since the first was slow.</summary>
    public long Hedged => _source?.Hedged ?? 0;

    internal void Serve(IPageListener server, ReplicaSource source) => (_source, _server) = (source, server);

    internal void SayServes() => serves(Listing(_server!, _source!));

    private SourceListing Listing(IPageListener server, ReplicaSource source) =>
        new(source.Identity, source.Pages, host, server.Port, source.Name);
}
