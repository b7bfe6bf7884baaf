using Akka.Actor;
using Userfault.Actors;
using Userfault.Nodes;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary>
/// A destination's part in the cluster: the pages of a migration come from the nodes that serve its image, as fetchers
/// in its pool that come and go with them. The guest's actors and the connections for its pages have an actor system of their
/// own: the membership may end, and another begin, while the guest goes on or waits.
/// </summary>
internal sealed class ClusterFeed : IAsyncDisposable
{
    private readonly ClusterSetup _setup;
    private readonly ActorSystem _guest;
    private readonly int _port;
    private readonly Func<NodeReport> _said;
    private readonly Lock _lock = new();
    private readonly List<IActorRef> _listeners = [];
    private readonly CancellationTokenSource _ends = new();
    private readonly CancellationTokenSource _leaves = new();
    private Task _digests = Task.CompletedTask;
    private Task _life = Task.CompletedTask;
    private Memberships? _memberships;
    private ClusterMember? _member;
    private IActorRef? _publisher;
    private IActorRef _links = ActorRefs.Nobody;
    private volatile PublishedBitmaps? _published;
    private volatile MigrationProgress? _progress;
    private NodeReport _report = NodeReport.Nothing with { State = "waits for pages" };

    /// <summary>A destination that is no member yet.</summary>
    /// <param name="setup">How nodes are reached.</param>
    /// <param name="guest">The guest's actor system; the caller's.</param>
    /// <param name="port">TCP port of the cluster; 0 is any free one.</param>
    public ClusterFeed(ClusterSetup setup, ActorSystem guest, int port)
    {
        (_setup, _guest, _port) = (setup, guest, port);
        _said = () => Volatile.Read(ref _report) with { Bitmaps = _published?.Shapes ?? [] };
    }

    // The incarnation of now, or the last one.
    private ClusterMember Member
    {
        get
        {
            lock (_lock) return _member!;
        }
    }

    /// <summary>Joins, and returns once every node has said what it serves.</summary>
    /// <param name="option">The option that named the nodes, for messages.</param>
    /// <param name="nodes">Nodes to join at; none begins a cluster.</param>
    /// <param name="waits">Is a cluster without the image waited for, however long it takes?</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">No cluster there.</exception>
    /// <exception cref="InterruptedException">Ctrl-C meanwhile.</exception>
    public async Task Join(string option, IReadOnlyList<Address> nodes, bool waits, CancellationToken cancelled)
    {
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _memberships = new Memberships(_setup, (NodeRoles.Destination, _port), (option, nodes), _said, Attach, _ => joined.TrySetResult());
        using (cancelled.Register(_leaves.Cancel))
        {
            _life = _memberships.Run(_leaves.Token);
            if (await Task.WhenAny(joined.Task, _life) == _life) await _life;
        }

        if (waits) await Console.Error.WriteLineAsync($"userfault node: destination at {Member.Endpoint}");
        // Who serves what is known before the first connection, or it would go to a source though a fetcher is there.
        await Member.Until(
            async () => await Member.Nodes() is { Count: > 0 } known && known.All(n => n.Report is not null || !n.IsUsable), cancelled);
        if (cancelled.IsCancellationRequested) throw new InterruptedException();
    }

    /// <summary>The one image that the cluster's nodes serve, described by them; its digests are on their way.</summary>
    /// <param name="option">The option that named the nodes, for messages.</param>
    /// <param name="waits">Is a cluster without any image waited for, however long it takes?</param>
    /// <param name="failed">Told where the digests turn out to be wrong.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">No image there, or several.</exception>
    /// <exception cref="InterruptedException">Ctrl-C meanwhile.</exception>
    public async Task<RemoteImage> Adopt(string option, bool waits, Action<string> failed, CancellationToken cancelled)
    {
        List<SourceListing> offers = [];
        await Member.Until(async () => (offers = await Offered()).Count > 0, cancelled, waits);
        if (cancelled.IsCancellationRequested) throw new InterruptedException();
        if (offers.Select(o => o.Image).Distinct().Count() != 1)
            throw new CliException($"{option}: {(offers.Count == 0 ? "no node serves an image" : $"nodes serve several images: {Names(offers)}; say which by --image or --synthetic")}");
        var image = offers[0].Image;
        var source = new ReplicaSource(ImageManifest.IdentityOf(image), 0, $"digests of {offers[0].Name}");
        Listen(_guest.ActorOf(PageLinksActor.Props(new PageLinksSettings
        {
            Client = _setup.ClientOptions(source.Identity),
            OfferedAs = image,
            RetryAfter = _setup.RetryAfter,
            Opened = (_, open) => source.Add(open),
            Closed = (_, closed) => source.Remove(closed),
        }), "digests"));
        var download = new ManifestDownload(source, image, _setup.RetryAfter, TimeProvider.System);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        if (!waits) late.CancelAfter(_setup.JoinTimeout);
        try
        {
            var manifest = await download.Describe(late.Token);
            var adopted = new RemoteImage(manifest, offers[0].Name);
            _digests = download.Fill(manifest, adopted.Digests, _ends.Token).ContinueWith(
                fill =>
                {
                    if (fill.Exception is { } e) failed(e.GetBaseException().Message);
                },
                CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return adopted;
        }
        catch (OperationCanceledException)
        {
            if (cancelled.IsCancellationRequested) throw new InterruptedException();
            throw new CliException($"{option}: no node of {offers[0].Name} has described it within {_setup.JoinTimeout.TotalSeconds:0.#} s; give this command the image itself");
        }
    }

    /// <summary>Lets other nodes follow the migration's bitmaps.</summary>
    public Broadcast Publish(PublishedBitmaps published)
    {
        var publisher = _guest.ActorOf(ClearPublisherActor.Props(published, _setup.ClearEvery, membership: null), ClearPublisherActor.Name);
        lock (_lock)
        {
            (_published, _publisher) = (published, publisher);
            Publish(_member!, publisher);
            return new Broadcast(publisher, $"vm-{_member!.Endpoint}");
        }
    }

    /// <summary>Feeds a migration's fetcher pool, and returns once pages can be had: every node that serves them is connected.</summary>
    /// <exception cref="CliException">None of the cluster's nodes serves the image.</exception>
    public async Task Connect(
        string option, IActorRef pool, IMemoryImage image, IGuestMemory? memory, bool waits, CancellationToken cancelled)
    {
        _links = _guest.ActorOf(
            PageLinksActor.Props(PageLinksSettings.IntoPool(pool, _setup.ClientOptions(image.Identity), memory) with { RetryAfter = _setup.RetryAfter }),
            "links");
        Listen(_links);
        var links = new PageLinksProtocol.Links([], 0, [], []);
        var isWhole = await Member.Until(
            async () => (links = await Links()) is { Open.Count: > 0, Pending: 0 } || (!waits && await ServesOthersAlone(image)), cancelled, waits);
        isWhole &= links.Open.Count > 0;
        if (isWhole || cancelled.IsCancellationRequested || links.Open.Count > 0) return;
        var served = (await Member.Nodes()).SelectMany(n => n.Report?.Offers ?? []);
        throw new CliException(
            $"{option}: no node serves image {image.Name} ({image.Identity.Short}); what they serve: {Names(served)}; " +
            "give a source and this command the same image");
    }

    /// <summary>Ends what goes on beside the migration, before the image is disposed of, and leaves the cluster.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ends.CancelAsync();
        await _digests;
        await _leaves.CancelAsync();
        // Whoever waited to be let in has heard why it was not.
        await _life.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ends.Dispose();
        _leaves.Dispose();
    }

    /// <summary>Lets the other nodes know how far the guest is.</summary>
    public void Show(MigrationProgress progress)
    {
        _progress = progress;
        Volatile.Write(ref _report, NodeReport.Nothing with
        {
            PagesPresent = progress.PagesPresent,
            Pages = progress.Pages,
            State = progress.State.ToString().ToLowerInvariant() + (progress.Reason is { } reason ? $": {Shortened(reason)}" : ""),
        });
    }

    /// <summary>Lets the other nodes know that it is over: one that completed has no use for replicas of its bitmaps any more.</summary>
    public void End(MigrationReport report)
    {
        if (report.State != MigrationState.Completed) return;
        _published = null;
        Volatile.Write(ref _report, NodeReport.Nothing with { PagesPresent = report.PagesPresent, Pages = report.Pages, State = "completed" });
        Member.Node.Tell(NodeProtocol.Announce.Instance);
    }

    /// <summary>The migration's instruments; the caller's.</summary>
    public NodeMetrics Metrics()
    {
        var metrics = new NodeMetrics(_said, () => _memberships!.View.Nodes);
        metrics.Watch(() => _progress);
        return metrics;
    }

    /// <summary>Who took part.</summary>
    public async Task<ClusterSummary> Summary()
    {
        var links = await Links();
        return new ClusterSummary(
            links.Seen.Count, links.Lost.Count,
            [.. links.Seen.Select(n => $"{n.Host}:{n.Port}")], [.. links.Lost.Select(n => $"{n.Host}:{n.Port}")]);
    }

    private void Attach(ClusterMember member)
    {
        lock (_lock)
        {
            _member = member;
            foreach (var listener in _listeners) member.Node.Tell(new NodeProtocol.Listen(listener), ActorRefs.NoSender);
            if (_publisher is not null) Publish(member, _publisher);
        }
    }

    private void Listen(IActorRef listener)
    {
        lock (_lock)
        {
            _listeners.Add(listener);
            _member!.Node.Tell(new NodeProtocol.Listen(listener), ActorRefs.NoSender);
        }
    }

    private static void Publish(ClusterMember member, IActorRef publisher)
    {
        member.System.ActorOf(ForwarderActor.Props(publisher), ClearPublisherActor.Name);
        publisher.Tell(new ClearPublisherActor.Through(member.Membership), ActorRefs.NoSender);
    }

    private static string Shortened(string text) => text.Length <= 200 ? text : text[..200];

    private static string Names(IEnumerable<SourceListing> offers) =>
        string.Join(", ", offers.Select(o => $"{o.Name} ({o.Image.Short})").Distinct().DefaultIfEmpty("nothing"));

    private async Task<List<SourceListing>> Offered() =>
        [.. (await Member.Nodes()).Where(n => n.IsUsable).SelectMany(n => n.Report?.Offers ?? [])];

    // Every source has said what it has, and this image is not among it: waiting would change nothing.
    private async Task<bool> ServesOthersAlone(IMemoryImage image)
    {
        var sources = (await Member.Nodes()).Where(n => n.IsUsable && n.Roles.Contains(NodeRoles.Source)).ToList();
        return sources.Count > 0 && sources.TrueForAll(n => n.Report is { Offers.Count: > 0 } report && report.OfferOf(image.Identity) is null);
    }

    private Task<PageLinksProtocol.Links> Links() =>
        _links.Ask<PageLinksProtocol.Links>(PageLinksProtocol.GetLinks.Instance, _setup.JoinTimeout);
}
