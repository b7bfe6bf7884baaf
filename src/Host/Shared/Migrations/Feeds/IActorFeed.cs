using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>A feed that adds fetchers to the pool of a guest whose faults are actors' messages.</summary>
internal interface IActorFeed : IPageFeed
{
    /// <summary>
    /// The guest's actor system, from <see cref="IPageFeed.Open"/> on; ends with the run or the feed.
    /// </summary>
    ActorSystem System { get; }

    /// <summary>Fetchers that this process has for it; 0 where the nodes of a cluster decide that.</summary>
    int LocalFetchers { get; }

    /// <summary>Threads that want a core of this machine to deliver pages.</summary>
    int BusyThreads { get; }

    /// <summary>A feed of the same kind for the small guest of a warm-up.</summary>
    IActorFeed ForWarmup();

    /// <summary>Lets other nodes follow the guest's bitmaps; null where there are none.</summary>
    Broadcast? Publish(IMemoryImage image);

    /// <summary>Adds the fetchers, and returns once pages can be had.</summary>
    /// <param name="run">The run whose pool they join.</param>
    /// <param name="image">The image.</param>
    /// <param name="memory">Guest memory that pages may be received into; null: the guest's own actors place
    /// them.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <exception cref="CliException">The image is not there.</exception>
    Task Connect(MigrationRun run, IMemoryImage image, IGuestMemory? memory, CancellationToken cancelled);
}
