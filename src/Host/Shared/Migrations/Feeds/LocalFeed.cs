using Akka.Actor;
using Akka.Configuration;
using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>Pages out of an image in this process, over a modelled path to each fetcher.</summary>
/// <param name="config">Settings of the guest's actor system.</param>
/// <param name="fetchers">How many fetchers.</param>
/// <param name="source">The path, and what is remembered of it.</param>
internal sealed class LocalFeed(Config config, int fetchers, SourceSection source) : IActorFeed
{
    private const long MaxWarmupLatencyNs = 30_000;
    private const int MaxWarmupContents = 256;
    private ActorSystem? _system;

    public bool BringsImage => false;

    public ActorSystem System => _system ?? throw new InvalidOperationException("the feed is not open");

    public int LocalFetchers => fetchers;

    /// <summary>The pump's, where there is a latency.</summary>
    public int BusyThreads => source.Link.IsInstant ? 0 : 1;

    public Task<RemoteImage?> Open(Action<string> failed, CancellationToken cancelled)
    {
        _system = ActorSystem.Create("userfault", config);
        return Task.FromResult<RemoteImage?>(null);
    }

    /// <summary>The same path, but for what would only make a warm-up longer.</summary>
    public IActorFeed ForWarmup() =>
        new LocalFeed(
            config,
            fetchers,
            source with
            {
                // A table of the usual size makes the next large one begin a garbage collection.
                RememberedContents = Math.Min(source.RememberedContents, MaxWarmupContents),
                Link = source.Link with
                {
                    LatencyNs = Math.Min(source.Link.LatencyNs, MaxWarmupLatencyNs),
                    JitterNs = Math.Min(source.Link.JitterNs, MaxWarmupLatencyNs),
                    BitsPerSecond =
                        source.Link.BitsPerSecond == 0 ? 0 : Math.Max(source.Link.BitsPerSecond, 10_000_000_000),
                },
            }
        );

    public Broadcast? Publish(IMemoryImage image) => null;

    public Task Connect(MigrationRun run, IMemoryImage image, IGuestMemory? memory, CancellationToken cancelled)
    {
        run.AddLocalFetchers(image, fetchers, source);
        return Task.CompletedTask;
    }

    public Task<string> Describe() => Task.FromResult($"latency {Units.Duration(source.Link.LatencyNs)}");

    public void Show(MigrationProgress progress) { }

    public Task<ClusterSummary?> End(MigrationReport report) => Task.FromResult<ClusterSummary?>(null);

    public async ValueTask DisposeAsync()
    {
        if (_system is not null)
            await _system.Terminate();
    }
}
