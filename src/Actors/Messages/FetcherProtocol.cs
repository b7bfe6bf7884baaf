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
    /// <param name="Priority">Demand if a vCPU waits for them.</param>
    /// <param name="Ranges">The pages, in the order wanted.</param>
    public sealed record FetchPages(FetchPriority Priority, IReadOnlyList<MemoryPageRange> Ranges)
        : ICommand,
            FetcherPoolProtocol.ICommand;

    /// <summary>
    /// A page that was requested as background has a waiter now: it goes ahead of others if it is still queued.
    /// </summary>
    /// <param name="Page">The page; ignored if it is not held.</param>
    public sealed record Promote(MemoryPage Page) : ICommand, FetcherPoolProtocol.ICommand;

    /// <summary>Forget background pages that are still queued.</summary>
    public sealed record CancelBackground : ICommand, FetcherPoolProtocol.ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly CancelBackground Instance = new();
    }

    /// <summary>Use this source from now on.</summary>
    /// <param name="Source">The source; the fetcher disposes of it when it stops.</param>
    /// <param name="IsSpare">Is it used only for hedges, and when the others are silent or gone?</param>
    public sealed record AddSource(IPageSource Source, bool IsSpare = false) : ICommand;

    /// <summary>A source can no longer be used: its node has left, or its connection is lost.</summary>
    /// <param name="Name">The source's name.</param>
    /// <param name="Reason">The reason, for the log.</param>
    public sealed record RemoveSource(string Name, string Reason) : ICommand;

    /// <summary>Send the counters to the sender: <see cref="FetcherReport"/>.</summary>
    public sealed record GetReport : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetReport Instance = new();
    }

    /// <summary>Bits that a memslot has cleared; the fetcher forwards them to the other nodes.</summary>
    /// <param name="Clears">The batch.</param>
    public sealed record BroadcastClears(BitsCleared Clears) : ICommand, FetcherPoolProtocol.ICommand;

    internal sealed record Answered(IPageSink From, PageBatch Batch) : ICommand;

    internal sealed record RequestFailed(IPageSink From, ulong RequestId, FetchFailure Failure) : ICommand;

    internal sealed record Tick : ICommand
    {
        public static readonly Tick Instance = new();
    }
}
