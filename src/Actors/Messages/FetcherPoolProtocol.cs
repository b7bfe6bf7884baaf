using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Everything the fetcher pool receives, besides what it passes on to its fetchers.</summary>
public static class FetcherPoolProtocol
{
    /// <summary>The number under which the work of all fetchers that were taken out is reported.</summary>
    public const ulong Removed = ulong.MaxValue;

    /// <summary>A message for the pool.</summary>
    public interface ICommand;

    /// <summary>Add a fetcher with these sources; it takes over its share of the pages.</summary>
    /// <param name="Number">Its number; decides its share, the same on every run.</param>
    /// <param name="Sources">Opens a source each; called anew when the fetcher is restarted.</param>
    public sealed record AddFetcher(ulong Number, IReadOnlyList<Func<IPageSource>> Sources) : ICommand;

    /// <summary>Take a fetcher out: its node has left. Its share goes to the others and is asked for again.</summary>
    /// <param name="Number">Its number.</param>
    public sealed record RemoveFetcher(ulong Number) : ICommand;

    /// <summary>A source has come back or come anew at a fetcher.</summary>
    /// <param name="Fetcher">The fetcher's number.</param>
    /// <param name="Name">The source's name.</param>
    /// <param name="Open">Opens it; called anew when the fetcher is restarted.</param>
    /// <param name="IsSpare">Is it asked only for hedges, and where the fetcher's other sources are silent or
    /// gone?</param>
    public sealed record AddSource(ulong Fetcher, string Name, Func<IPageSource> Open, bool IsSpare = false) : ICommand;

    /// <summary>A source cannot be asked any more, at any fetcher.</summary>
    /// <param name="Name">The source's name.</param>
    /// <param name="Reason">Why.</param>
    public sealed record RemoveSource(string Name, string Reason) : ICommand;

    /// <summary>Tell this one to ask again whenever a fetcher is lost or a source comes.</summary>
    /// <param name="Requester">A memslot.</param>
    public sealed record Register(IActorRef Requester) : ICommand;

    /// <summary>Every fetcher tells the sender its <see cref="FetcherReport"/>; their number comes first.</summary>
    public sealed record GetReports : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetReports Instance = new();
    }

    /// <summary>How many reports will come.</summary>
    /// <param name="Count">One a fetcher.</param>
    public sealed record ReportsComing(int Count);

    /// <summary>A fetcher was restarted and holds nothing.</summary>
    /// <param name="Number">Its number.</param>
    public sealed record FetcherRestarted(ulong Number) : ICommand;
}
