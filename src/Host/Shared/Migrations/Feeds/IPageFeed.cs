using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Where the pages of a migration come from, from before it until after its report. How they get to the guest is
/// between the feed and the backend.
/// </summary>
internal interface IPageFeed : IAsyncDisposable
{
    /// <summary>Does the image come from the feed? Otherwise the options name it.</summary>
    bool BringsImage { get; }

    /// <summary>Gets ready to deliver pages.</summary>
    /// <param name="failed">Called where the image that the feed has brought turns out to be another.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <returns>The image that it brings; null where the options name it.</returns>
    /// <exception cref="CliException">No pages there.</exception>
    /// <exception cref="InterruptedException">Ctrl-C meanwhile.</exception>
    Task<RemoteImage?> Open(Action<string> failed, CancellationToken cancelled);

    /// <summary>
    /// The working set that nodes have of an image; null where none has one, or no node is asked here.
    /// </summary>
    Task<WorkingSet?> SharedWorkingSet(IMemoryImage image, CancellationToken cancelled) =>
        Task.FromResult<WorkingSet?>(null);

    /// <summary>Where the pages come from, for the line that says what begins.</summary>
    Task<string> Describe();

    /// <summary>Told how far the guest is.</summary>
    void Show(MigrationProgress progress);

    /// <summary>Told how it ended.</summary>
    /// <returns>The nodes that took part; null where none did.</returns>
    Task<ClusterSummary?> End(MigrationReport report);
}
