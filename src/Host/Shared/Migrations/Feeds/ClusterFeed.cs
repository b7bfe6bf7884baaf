using Akka.Actor;
using Userfault.Actors;
using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// A destination's part in the cluster: the pages of a migration come from the nodes that serve its image, as fetchers
/// in its pool that come and go with them. The guest's actors and the connections for its pages have an actor system of
/// their own: the membership may end, and another begin, while the guest goes on or waits.
/// </summary>
internal sealed class ClusterFeed : IActorFeed
{
    /// <summary>Threads of the data plane that want a core of this machine.</summary>
    internal const int DataPlaneThreads = 2;

    private readonly ClusterSetup _setup;
    private readonly ClusterRequest _cluster;
    private readonly DestinationReport _report = new();
    private readonly Lock _lock = new();
    private readonly List<IActorRef> _listeners = [];
    private readonly CancellationTokenSource _leaves = new();
    private ImageAdoption? _adoption;
    private Task _life = Task.CompletedTask;
    private Memberships? _memberships;
    private ClusterMember? _member;
    private ActorSystem? _guest;
    private MetricsEndpoint? _endpoint;
    private NodeMetrics? _metrics;
    private IActorRef? _publisher;
    private IActorRef _links = ActorRefs.Nobody;

    private ClusterFeed(ClusterSetup setup, ClusterRequest cluster, bool bringsImage) =>
        (_setup, _cluster, BringsImage) = (setup, cluster, bringsImage);

    public bool BringsImage { get; }

    public ActorSystem System => _guest ?? throw new InvalidOperationException("the feed is not open");

    public int LocalFetchers => 0;

    /// <summary>
    /// One receives pages where the actors' thread cannot (TLS), and one sends them: the source may be on this machine.
    /// </summary>
    public int BusyThreads => DataPlaneThreads;

    // The incarnation of now, or the last one.
    private ClusterMember Member
    {
        get
        {
            lock (_lock)
                return _member!;
        }
    }

    private bool Waits => _cluster.WhenImageIsAbsent == ImageAbsence.Wait;

    // How long the image, or pages of it, are waited for.
    private TimeSpan Patience => Waits ? Timeout.InfiniteTimeSpan : _setup.JoinTimeout;

    /// <summary>A destination that is no member yet.</summary>
    /// <param name="arguments">What was given.</param>
    /// <param name="cluster">The cluster.</param>
    /// <exception cref="CliException">A bad value, or an address beyond loopback without TLS.</exception>
    public static ClusterFeed Of(MigrateArguments arguments, ClusterRequest cluster)
    {
        var options = arguments.Options;
        // What says how the path to the source is modelled has no meaning where there is a real one.
        arguments.Refuse(
            "belongs to a migration inside one process; a cluster's own nodes and network decide it",
            options.Latency,
            options.Bandwidth
        );
        var adopts = cluster.Unnamed == UnnamedImage.AdoptFromCluster && !arguments.NamesImage;
        return new ClusterFeed(ClusterSetup.Open(arguments.Settings), cluster, adopts);
    }

    /// <summary>Joins; then, where it brings the image, has the nodes describe it.</summary>
    public async Task<RemoteImage?> Open(Action<string> failed, CancellationToken cancelled)
    {
        var nodes = await _cluster.Nodes();
        _setup.CheckNodes(_cluster.Option, nodes);
        _guest = ActorSystem.Create(ClusterSetup.SystemName, _setup.Settings.Config);
        await Join(nodes, cancelled);
        return BringsImage ? await Adopt(failed, cancelled) : null;
    }

    // Returns once every node has said what it serves.
    private async Task Join(IReadOnlyList<Address> nodes, CancellationToken cancelled)
    {
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _memberships = new Memberships(
            _setup,
            new MembershipSettings(NodeRoles.Destination, _cluster.Port, _cluster.Option, nodes)
            {
                Report = _report.Now,
                Opened = Attach,
                Joined = _ => joined.TrySetResult(),
            }
        );
        using (cancelled.Register(_leaves.Cancel))
        {
            _life = _memberships.Run(_leaves.Token);
            if (await Task.WhenAny(joined.Task, _life) == _life)
                await _life;
        }

        if (Waits)
            await Console.Error.WriteLineAsync($"userfault node: destination at {Member.Endpoint}");
        // Who serves what is known before the first connection, or it would go to a source though a fetcher is there.
        await Member.Until(
            async () =>
                await Member.Nodes() is { Count: > 0 } known && known.All(n => n.Report is not null || !n.IsUsable),
            cancelled
        );
        if (cancelled.IsCancellationRequested)
            throw new InterruptedException();
    }

    // The one image that the cluster's nodes serve, described by them; its digests are on their way.
    private async Task<RemoteImage> Adopt(Action<string> failed, CancellationToken cancelled)
    {
        List<SourceListing> offers = [];
        IReadOnlyList<IReadOnlyList<ImageIdentity>> images = [];
        await Member.Until(
            async () =>
            {
                (offers, images) = (await Offered(), SameImages.Groups(await OfferedByNode()));
                return offers.Count > 0 && !SameImages.AreUndecided(images);
            },
            cancelled,
            Patience
        );
        if (cancelled.IsCancellationRequested)
            throw new InterruptedException();
        if (images.Count != 1)
        {
            var found =
                offers.Count == 0
                    ? "no node serves an image"
                    : $"nodes serve several images: {Names(offers)}; say which by --image or --synthetic";
            throw new CliException($"{_cluster.Option}: {found}");
        }

        _adoption = new ImageAdoption(_setup, System, _cluster.Option, Listen);
        return await _adoption.Describe(offers.First(o => o.Image == images[0][0]), Patience, failed, cancelled);
    }

    public IActorFeed ForWarmup() => new LoopbackFeed(_setup);

    /// <summary>The working set that a node has of the image, by what the nodes say that they serve.</summary>
    public async Task<WorkingSet?> SharedWorkingSet(IMemoryImage image, CancellationToken cancelled)
    {
        List<SourceListing> offers = [];
        await Member.Until(
            async () =>
            {
                offers =
                [
                    .. (await Offered()).Where(o => o.Image.IsSameSample(image.Identity) && o.PageCount == image.Pages),
                ];
                return offers.Count > 0 || (!Waits && await ServesOthersAlone(image));
            },
            cancelled,
            Patience
        );
        if (cancelled.IsCancellationRequested)
            throw new InterruptedException();
        return await SharedWorkingSets.Find(_setup, offers);
    }

    /// <summary>Lets other nodes follow the migration's bitmaps.</summary>
    public Broadcast? Publish(IMemoryImage image)
    {
        var published = new PublishedBitmaps(image.Identity);
        var publisher = System.ActorOf(
            ClearPublisherActor.Props(published, _setup.ClearEvery, membership: null),
            ClearPublisherActor.Name
        );
        lock (_lock)
        {
            _publisher = publisher;
            _report.Publish(published);
            Publish(_member!, publisher);
            return new Broadcast(publisher, $"vm-{_member!.Endpoint}");
        }
    }

    /// <summary>
    /// Returns once every node that serves the image is connected, and shows its metrics from then on.
    /// </summary>
    public async Task Connect(MigrationRun run, IMemoryImage image, IGuestMemory? memory, CancellationToken cancelled)
    {
        await Link(run, image, memory, cancelled);
        _endpoint = MetricsEndpoint.Open(_setup);
        if (_endpoint is not null)
            await Console.Error.WriteLineAsync($"metrics at {_endpoint.Address}");
        _metrics = new NodeMetrics(_report.Now, () => _memberships!.View.Nodes);
        _metrics.Watch(() => _report.Progress);
    }

    private async Task Link(MigrationRun run, IMemoryImage image, IGuestMemory? memory, CancellationToken cancelled)
    {
        var client = _setup.ClientOptions(await IdentityThere(image, cancelled)) with { Loop = run.Loop };
        _links = System.ActorOf(
            PageLinksActor.Props(
                PageLinksSettings.IntoPool(run.Pool, client, memory) with
                {
                    RetryAfter = _setup.RetryAfter,
                }
            ),
            "links"
        );
        Listen(_links);
        var links = new PageLinksProtocol.Links([], 0, [], []);
        var isWhole = await Member.Until(
            async () =>
                (links = await Links()) is { Open.Count: > 0, Pending: 0 }
                || (!Waits && await ServesOthersAlone(image)),
            cancelled,
            Patience
        );
        isWhole &= links.Open.Count > 0;
        if (isWhole || cancelled.IsCancellationRequested || links.Open.Count > 0)
            return;
        var served = (await Member.Nodes()).SelectMany(n => n.Report?.Offers ?? []);
        throw new CliException(
            $"{_cluster.Option}: no node serves image {image.Name} ({image.Identity.Short}); what they serve: "
                + $"{Names(served)}; "
                + "give a source and this command the same image"
        );
    }

    /// <summary>
    /// Ends what goes on beside the migration, before the image is disposed of, and leaves the cluster.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _metrics?.Dispose();
        _endpoint?.Dispose();
        if (_adoption is not null)
            await _adoption.DisposeAsync();
        await _leaves.CancelAsync();
        // Whoever waited to be let in has heard why it was not.
        await _life.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _leaves.Dispose();
        if (_guest is not null)
            await _guest.Terminate();
    }

    /// <summary>Lets the other nodes know how far the guest is.</summary>
    public void Show(MigrationProgress progress) => _report.Show(progress);

    /// <summary>Lets the other nodes know at once that the guest is here, where it is.</summary>
    public async Task<ClusterSummary?> End(MigrationReport report)
    {
        if (report.State == MigrationState.Completed)
        {
            _report.Complete(report);
            Member.Node.Tell(NodeProtocol.Announce.Instance);
        }

        return await Summary();
    }

    public async Task<string> Describe()
    {
        var nodes = await Summary();
        return $"pages from {nodes.Nodes} node(s): {string.Join(", ", nodes.Names)}";
    }

    // Which nodes took part.
    private async Task<ClusterSummary> Summary()
    {
        var links = await Links();
        return new ClusterSummary(
            links.Seen.Count,
            links.Lost.Count,
            [.. links.Seen.Select(n => $"{n.Host}:{n.Port}")],
            [.. links.Lost.Select(n => $"{n.Host}:{n.Port}")]
        );
    }

    private void Attach(ClusterMember member)
    {
        lock (_lock)
        {
            _member = member;
            foreach (var listener in _listeners)
                member.Node.Tell(new NodeProtocol.Listen(listener), ActorRefs.NoSender);
            if (_publisher is not null)
                Publish(member, _publisher);
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

    private static string Names(IEnumerable<SourceListing> offers) =>
        string.Join(", ", offers.Select(o => $"{o.Name} ({o.Image.Short})").Distinct().DefaultIfEmpty("nothing"));

    // By which of their identities nodes are asked for an image that this process has too. Where one image could be it,
    // by that one: what comes is verified against this process's own. Where several could, this one is read whole, as
    // they are, and the one that it is is asked for.
    private async Task<ImageIdentity> IdentityThere(IMemoryImage image, CancellationToken cancelled)
    {
        var own = image.Identity;
        ImageIdentity? found = own;
        await Member.Until(
            async () =>
            {
                var alike = SameImages
                    .Groups(await OfferedByNode())
                    .Where(group => group[0].IsSameSample(own))
                    .ToList();
                var same = alike.Find(group => group.Contains(own)) ?? (alike.Count == 1 ? alike[0] : null);
                found = same?[0];
                if (alike.Count == 0)
                    return !own.IsProvisional || await ServesOthersAlone(image);
                if (same is not null || !own.IsProvisional || SameImages.AreUndecided(alike))
                    return same is not null || !own.IsProvisional;
                own = WholeImage.TryKnown(image, WholeImage.DefaultFolder) ?? await ReadWhole(image, cancelled);
                return false;
            },
            cancelled,
            Patience
        );
        return found ?? own;
    }

    private static Task<ImageIdentity> ReadWhole(IMemoryImage image, CancellationToken cancelled)
    {
        var done = new TaskCompletionSource<ImageIdentity>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reader = new Thread(() =>
            done.SetResult(
                WholeImage.Read(image, WholeImage.DefaultFolder, TimeProvider.System, cancelled) ?? image.Identity
            )
        )
        {
            IsBackground = true,
            Name = "whole image",
        };
        reader.Start();
        return done.Task;
    }

    private async Task<IReadOnlyList<IReadOnlyList<ImageIdentity>>> OfferedByNode() =>
        [.. (await Member.Nodes()).Where(n => n.IsUsable).Select(n => n.Report?.Images ?? [])];

    private async Task<List<SourceListing>> Offered() =>
        [.. (await Member.Nodes()).Where(n => n.IsUsable).SelectMany(n => n.Report?.Offers ?? [])];

    // Every source has said what it has, and this image is not among it: waiting would change nothing.
    private async Task<bool> ServesOthersAlone(IMemoryImage image)
    {
        var sources = (await Member.Nodes()).Where(n => n.IsUsable && n.Roles.Contains(NodeRoles.Source)).ToList();
        return sources.Count > 0
            && sources.TrueForAll(n =>
                n.Report is { Offers.Count: > 0 } report && !report.Images.Any(image.Identity.IsSameSample)
            );
    }

    private Task<PageLinksProtocol.Links> Links() =>
        _links.Ask<PageLinksProtocol.Links>(PageLinksProtocol.GetLinks.Instance, _setup.JoinTimeout);
}
