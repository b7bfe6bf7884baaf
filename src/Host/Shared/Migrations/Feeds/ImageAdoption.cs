using Akka.Actor;
using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>An image that nodes describe to a destination which does not have it; its digests follow.</summary>
/// <param name="setup">How nodes are reached.</param>
/// <param name="system">The guest's actor system.</param>
/// <param name="option">The option that named the nodes, for messages.</param>
/// <param name="listen">Lets an actor hear of the cluster.</param>
internal sealed class ImageAdoption(ClusterSetup setup, ActorSystem system, string option, Action<IActorRef> listen)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _ends = new();
    private Task _digests = Task.CompletedTask;
    private ITimer? _ticks;

    /// <summary>The image, whose digests are on their way.</summary>
    /// <param name="offer">What a node has said of it.</param>
    /// <param name="patience">Longest wait for the description.</param>
    /// <param name="failed">Told where the digests turn out to be wrong.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">No node has described it in time.</exception>
    /// <exception cref="InterruptedException">Ctrl-C meanwhile.</exception>
    public async Task<RemoteImage> Describe(
        SourceListing offer,
        TimeSpan patience,
        Action<string> failed,
        CancellationToken cancelled
    )
    {
        var source = OpenDigests(offer);
        var links = new PageLinksSettings
        {
            Client = setup.ClientOptions(source.Identity),
            OfferedAs = offer.Image,
            RetryAfter = setup.RetryAfter,
            Opened = (_, open) => source.Add(open),
            Closed = (_, closed) => source.Remove(closed),
        };
        listen(system.ActorOf(PageLinksActor.Props(links), "digests"));
        var download = new ManifestDownload(source, offer.Image, setup.RetryAfter, TimeProvider.System);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        late.CancelAfter(patience);
        try
        {
            var manifest = await download.Describe(late.Token);
            var adopted = new RemoteImage(manifest, offer.Name);
            _digests = Fill(download, manifest, adopted, failed);
            return adopted;
        }
        catch (OperationCanceledException)
        {
            if (cancelled.IsCancellationRequested)
                throw new InterruptedException();
            throw new CliException(
                $"{option}: no node of {offer.Name} has described it within {setup.JoinTimeout.TotalSeconds:0.#} s; "
                    + $"give this command the image itself"
            );
        }
    }

    /// <summary>Ends the download of digests.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ends.CancelAsync();
        await _digests;
        if (_ticks is not null)
            await _ticks.DisposeAsync();
        _ends.Dispose();
    }

    private Task Fill(ManifestDownload download, ImageManifest manifest, RemoteImage adopted, Action<string> failed) =>
        download
            .Fill(manifest, adopted.Digests, _ends.Token)
            .ContinueWith(
                fill =>
                {
                    if (fill.Exception is { } e)
                        failed($"{option}: {e.GetBaseException().Message}");
                },
                CancellationToken.None,
                TaskContinuationOptions.None,
                TaskScheduler.Default
            );

    // Nobody waits for digests as long as for pages; still one source that is silent must not keep them from coming.
    private ReplicatedSource OpenDigests(SourceListing offer)
    {
        var settings = FetcherSection.Of(setup.Settings);
        var time = TimeProvider.System;
        var source = new ReplicatedSource(
            ImageManifest.IdentityOf(offer.Image),
            0,
            $"digests of {offer.Name}",
            settings,
            () => (long)((Int128)time.GetTimestamp() * 1_000_000_000 / time.TimestampFrequency)
        );
        var every = TimeSpan.FromTicks(Math.Max(settings.TickNs / 100, TimeSpan.TicksPerMillisecond));
        if (settings.TickNs > 0)
            _ticks = time.CreateTimer(_ => source.Tick(), null, every, every);
        return source;
    }
}
