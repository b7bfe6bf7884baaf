using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Everything a fetcher receives. Answers go to the sender: <see cref="PagesFetched"/>, <see cref="FetchFailed"/>.
/// </summary>
public static class FetcherProtocol
{
    /// <summary>A message for a fetcher.</summary>
    public interface ICommand;

    /// <summary>Fetch pages for the sender. The ranges are not changed after the message is sent.</summary>
    /// <param name="Priority">Does anybody wait for them?</param>
    /// <param name="Ranges">The pages, in the order wanted.</param>
    public sealed record FetchPages(FetchPriority Priority, IReadOnlyList<MemoryPageRange> Ranges)
        : ICommand,
            FetcherPoolProtocol.ICommand;

    /// <summary>
    /// Somebody waits for a page that was asked for in the background: it goes before others if it is queued.
    /// </summary>
    /// <param name="Page">The page; ignored where it is not held.</param>
    public sealed record Promote(MemoryPage Page) : ICommand, FetcherPoolProtocol.ICommand;

    /// <summary>Forget background pages that were not asked for yet.</summary>
    public sealed record CancelBackground : ICommand, FetcherPoolProtocol.ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly CancelBackground Instance = new();
    }

    /// <summary>Ask this source from now on.</summary>
    /// <param name="Source">The source; the fetcher disposes of it when it stops.</param>
    /// <param name="IsSpare">Is it asked only for hedges, and where the others are silent or gone?</param>
    public sealed record AddSource(IPageSource Source, bool IsSpare = false) : ICommand;

    /// <summary>A source cannot be asked any more: its node has left, or its connection is gone.</summary>
    /// <param name="Name">The source's name.</param>
    /// <param name="Reason">Why, for the report.</param>
    public sealed record RemoveSource(string Name, string Reason) : ICommand;

    /// <summary>Tell the sender what was done so far: <see cref="FetcherReport"/>.</summary>
    public sealed record GetReport : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetReport Instance = new();
    }

    /// <summary>Bits that a memslot has cleared; the fetcher tells the other nodes.</summary>
    /// <param name="Clears">The batch.</param>
    public sealed record BroadcastClears(BitsCleared Clears) : ICommand, FetcherPoolProtocol.ICommand;

    internal sealed record Answered(IPageSink From, PageBatch Batch) : ICommand;

    internal sealed record RequestFailed(IPageSink From, ulong RequestId, FetchFailure Failure) : ICommand;

    internal sealed record Tick : ICommand
    {
        public static readonly Tick Instance = new();
    }
}
