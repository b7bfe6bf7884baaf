using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Everything the fetcher pool receives, besides the messages that it forwards to its fetchers.</summary>
public static class FetcherPoolProtocol
{
    /// <summary>The number under which the work of all removed fetchers is reported.</summary>
    public const ulong Removed = ulong.MaxValue;

    /// <summary>A message for the pool.</summary>
    public interface ICommand;

    /// <summary>Add a fetcher with these sources; it takes over its share of the pages.</summary>
    /// <param name="Number">Its number; determines its share, the same on every run.</param>
    /// <param name="Sources">Each opens one source; called again when the fetcher is restarted.</param>
    public sealed record AddFetcher(ulong Number, IReadOnlyList<Func<IPageSource>> Sources) : ICommand;

    /// <summary>Remove a fetcher: its node has left. Its share moves to the others and is requested again.</summary>
    /// <param name="Number">Its number.</param>
    public sealed record RemoveFetcher(ulong Number) : ICommand;

    /// <summary>A source has returned, or is new, at a fetcher.</summary>
    /// <param name="Fetcher">The fetcher's number.</param>
    /// <param name="Name">The source's name.</param>
    /// <param name="Open">Opens it; called again when the fetcher is restarted.</param>
    /// <param name="IsSpare">Is it used only for hedges, and when the fetcher's other sources are silent or
    /// gone?</param>
    public sealed record AddSource(ulong Fetcher, string Name, Func<IPageSource> Open, bool IsSpare = false) : ICommand;

    /// <summary>A source can no longer be used, at any fetcher.</summary>
    /// <param name="Name">The source's name.</param>
    /// <param name="Reason">The reason.</param>
    public sealed record RemoveSource(string Name, string Reason) : ICommand;

    /// <summary>Ask this actor to repeat its requests whenever a fetcher is lost or a source is added.</summary>
    /// <param name="Requester">A memslot.</param>
    public sealed record Register(IActorRef Requester) : ICommand;

    /// <summary>
    /// Every fetcher sends its <see cref="FetcherReport"/> to the sender; the number of reports comes first.
    /// </summary>
    public sealed record GetReports : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetReports Instance = new();
    }

    /// <summary>The number of reports that will follow.</summary>
    /// <param name="Count">One per fetcher, and one for all removed ones.</param>
    public sealed record ReportsComing(int Count);

    /// <summary>A fetcher was restarted and has no state.</summary>
    /// <param name="Number">Its number.</param>
    public sealed record FetcherRestarted(ulong Number) : ICommand;
}
