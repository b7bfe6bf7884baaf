using Akka.Actor;
using Userfault.Actors;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary>
/// A destination's part in the cluster: the pages of a migration come from the nodes that serve its image, as fetchers
/// in its pool that come and go with them.
/// </summary>
internal sealed class ClusterFeed
{
    private readonly ClusterSetup _setup;
    private readonly ClusterMember _member;
    private readonly IActorRef _links;
    private readonly IMemoryImage _image;
    private readonly ClusterView _view = new();
    private readonly Func<NodeReport> _said;
    private volatile MigrationProgress? _progress;
    private NodeReport _report = NodeReport.Nothing with { State = "waits for pages" };

    public ClusterFeed(ClusterSetup setup, MigrationRun run, IMemoryImage image, PublishedBitmaps published)
    {
        (_setup, _image) = (setup, image);
        _said = () => Volatile.Read(ref _report) with { Bitmaps = published.Shapes };
        _member = new ClusterMember(setup, run.System, _said);
        _view.Follow(run.System, _member.Node);
        _links = run.System.ActorOf(
            PageLinksActor.Props(PageLinksSettings.IntoPool(run.Pool, setup.ClientOptions(image.Identity)) with { RetryAfter = setup.RetryAfter }),
            "links");
    }

    /// <summary>Joins, and returns once pages can be had: every node has said what it serves, and is connected.</summary>
    /// <param name="option">The option that named the nodes, for messages.</param>
    /// <param name="nodes">Nodes to join at; none begins a cluster.</param>
    /// <param name="waits">Is a cluster without the image waited for, however long it takes?</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">No cluster there, or none of its nodes serves the image.</exception>
    public async Task Join(string option, IReadOnlyList<Address> nodes, bool waits, CancellationToken cancelled)
    {
        await _member.Join(option, nodes, cancelled);
        if (waits) await Console.Error.WriteLineAsync($"userfault node: destination at {_member.Endpoint}");
        // Who serves what is known before the first connection, or it would go to a source though a fetcher is there.
        await _member.Until(async () => (await _member.Nodes()).All(n => n.Report is not null || !n.IsUsable), cancelled);
        _member.Node.Tell(new NodeProtocol.Listen(_links), ActorRefs.NoSender);
        var links = new PageLinksProtocol.Links([], 0, [], []);
        var isWhole = await _member.Until(
            async () => (links = await Links()) is { Open.Count: > 0, Pending: 0 } || (!waits && await ServesOthersAlone()), cancelled, waits);
        isWhole &= links.Open.Count > 0;
        if (isWhole || cancelled.IsCancellationRequested || links.Open.Count > 0) return;
        var served = (await _member.Nodes()).SelectMany(n => n.Report?.Offers ?? []).Select(o => $"{o.Name} ({o.Image.Short})").Distinct();
        throw new CliException(
            $"{option}: no node serves image {_image.Name} ({_image.Identity.Short}); what they serve: " +
            $"{string.Join(", ", served.DefaultIfEmpty("nothing"))}; give a source and this command the same image");
    }

    // Every source has said what it has, and this image is not among it: waiting would change nothing.
    private async Task<bool> ServesOthersAlone()
    {
        var sources = (await _member.Nodes()).Where(n => n.IsUsable && n.Roles.Contains(NodeRoles.Source)).ToList();
        return sources.Count > 0 && sources.TrueForAll(n => n.Report is { Offers.Count: > 0 } report && report.OfferOf(_image.Identity) is null);
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

    /// <summary>The migration's instruments; the caller's.</summary>
    public NodeMetrics Metrics()
    {
        var metrics = new NodeMetrics(_said, () => _view.Nodes);
        metrics.Watch(() => _progress);
        return metrics;
    }

    private static string Shortened(string text) => text.Length <= 200 ? text : text[..200];

    /// <summary>Who took part.</summary>
    public async Task<ClusterSummary> Summary()
    {
        var links = await Links();
        return new ClusterSummary(
            links.Seen.Count, links.Lost.Count,
            [.. links.Seen.Select(n => $"{n.Host}:{n.Port}")], [.. links.Lost.Select(n => $"{n.Host}:{n.Port}")]);
    }

    private Task<PageLinksProtocol.Links> Links() =>
        _links.Ask<PageLinksProtocol.Links>(PageLinksProtocol.GetLinks.Instance, _setup.JoinTimeout);
}
