using Akka.Actor;
using Userfault.DataPlane;
using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// A fetcher node: a data-plane server in front of this node's own connections to sources. It serves the first image
/// that it learns of, and its manifest, from all sources that have them; pages pass through and are not kept.
/// </summary>
public sealed class RelayActor : UntypedActor, IWithTimers
{
    private readonly Relay _relay;
    private readonly IActorRef _node;
    private readonly PageServerOptions _server;
    private readonly PageClientOptions _client;
    private readonly TimeSpan _retryAfter;
    private readonly Replicas _replicas;
    private readonly IPagePlane _plane;
    private readonly FetchSettings _settings;
    private IPageListener? _serving;
    private ReplicatedSource? _source;
    private ReplicatedSource? _manifest;
    private IActorRef? _links;
    private IActorRef? _manifestLinks;
    private bool _hasServed;
    private volatile IReadOnlyList<ClusterNode> _nodes = [];

    /// <summary>See <see cref="Props"/>.</summary>
    public RelayActor(
        Relay relay,
        IActorRef node,
        PageServerOptions server,
        PageClientOptions client,
        TimeSpan retryAfter,
        Replicas replicas,
        IPagePlane plane,
        FetchSettings settings
    )
    {
        (_relay, _node, _server, _client, _retryAfter) = (relay, node, server, client, retryAfter);
        (_replicas, _plane, _settings) = (replicas, plane, settings);
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A relay that waits for <see cref="NodeProtocol.NodesChanged"/>.</summary>
    /// <param name="relay">Publishes what the relay serves.</param>
    /// <param name="node">This node's <see cref="NodeActor"/>, which reports to the others.</param>
    /// <param name="server">Where it listens.</param>
    /// <param name="client">How it connects to sources; image and address are filled in.</param>
    /// <param name="retryAfter">Time after which a lost source is retried.</param>
    /// <param name="replicas">This node's replicas of bitmaps: pages in place are not pushed again.</param>
    /// <param name="plane">The transport of pages; null for TCP.</param>
    /// <param name="settings">The settings of the fetch engine; null for the defaults.</param>
    public static Props Props(
        Relay relay,
        IActorRef node,
        PageServerOptions server,
        PageClientOptions client,
        TimeSpan retryAfter,
        Replicas replicas,
        IPagePlane? plane = null,
        FetchSettings? settings = null
    ) =>
        Akka.Actor.Props.Create(() =>
            new RelayActor(
                relay,
                node,
                server,
                client,
                retryAfter,
                replicas,
                plane ?? TcpPagePlane.Instance,
                settings ?? new FetchSettings()
            )
        );

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _serving?.Dispose();
        _source?.Dispose();
        _manifest?.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case NodeProtocol.NodesChanged changed:
                _nodes = changed.Nodes;
                if (_links is null)
                    Begin(changed.Nodes);
                _manifestLinks?.Tell(changed);
                _links?.Tell(changed);
                break;
            case ReplicasChanged:
                if (!_hasServed && _source!.Replicas > 0)
                {
                    _hasServed = true;
                    _relay.SayServes();
                }

                _node.Tell(NodeProtocol.Announce.Instance);
                break;
            case Tick:
                _source?.Tick();
                _manifest?.Tick();
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Begin(IReadOnlyList<ClusterNode> nodes)
    {
        var sources = nodes
            .Where(n => n.IsUsable && n.Roles.Contains(NodeRoles.Source) && n.Report is { Offers.Count: > 0 })
            .Select(static n => n.Report!)
            .ToList();
        // Sources that may have one image, and have not read it whole, are not mixed: it is known soon.
        if (sources.Count == 0 || SameImages.AreUndecided(SameImages.Groups([.. sources.Select(static s => s.Images)])))
            return;
        var offer = sources[0].Offers[0];
        var source = _source = SourceOf(offer.Image, offer.PageCount, offer.Name);
        var every = TimeSpan.FromTicks(Math.Max(_settings.TickNs / 100, TimeSpan.TicksPerMillisecond));
        if (_settings.TickNs > 0)
            Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, every, every);
        var manifest = _manifest = _plane.HasManifests
            ? SourceOf(ImageManifest.IdentityOf(offer.Image), 0, $"digests of {offer.Name}")
            : null;
        _serving = _plane.Listen(
            _server,
            new NeededSource(source, _replicas),
            manifest,
            () => SourceDirectory.Of(_relay.Report().Offers, _nodes)
        );
        _relay.Serve(_serving, source);
        if (manifest is not null)
            _manifestLinks = Context.ActorOf(LinksTo(manifest, offer.Image, static () => { }), "manifest-links");
        var self = Self;
        _links = Context.ActorOf(
            LinksTo(source, offer.Image, () => self.Tell(ReplicasChanged.Instance, ActorRefs.NoSender)),
            "links"
        );
    }

    // The clients of this node give it up after the timeout. A silent source must be given up earlier, or this node
    // would appear to be the silent one.
    private ReplicatedSource SourceOf(ImageIdentity image, ulong pages, string name)
    {
        var clock = Context.System.Scheduler;
        return new ReplicatedSource(
            image,
            pages,
            name,
            _settings with
            {
                TimeoutNs = _settings.TimeoutNs / 2,
            },
            () => clock.HighResMonotonicClock.Ticks * 100
        );
    }

    // Connections to all sources of an image, for the image itself or its manifest.
    private Props LinksTo(ReplicatedSource replicas, ImageIdentity image, Action changed) =>
        PageLinksActor.Props(
            new PageLinksSettings
            {
                Client = _client with { Image = replicas.Identity },
                OfferedAs = image,
                ThroughFetchers = false,
                Plane = _plane,
                RetryAfter = _retryAfter,
                Opened = (_, client) =>
                {
                    replicas.Add(client);
                    changed();
                },
                Closed = (_, client) =>
                {
                    replicas.Remove(client);
                    changed();
                },
            }
        );

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }

    private sealed record ReplicasChanged
    {
        public static readonly ReplicasChanged Instance = new();
    }
}
