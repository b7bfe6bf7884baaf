using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// One reader thread of a userfaultfd, which resolves the events that it reads: missing pages are fetched and copied
/// in, pages that are in the page cache are continued. Several readers of one descriptor share its events. It remembers
/// the pages that it has read and not resolved: the kernel does not deliver them again.
/// </summary>
internal sealed class UffdReaderActor(IActorRef memslot, int descriptor, IActorRef fetchers) : UntypedActor
{
    private readonly SortedSet<ulong> _unresolved = [];

    /// <summary>A reader of a slot's descriptor.</summary>
    public static Props Props(IActorRef memslot, int descriptor, IActorRef fetchers) =>
        Akka.Actor.Props.Create(() => new UffdReaderActor(memslot, descriptor, fetchers));

    /// <inheritdoc/>
    protected override void PreStart() => memslot.Tell(new MemslotProtocol.UffdRead(descriptor));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case UffdReaderProtocol.Events events:
                OnEvents(events.List);
                memslot.Tell(new MemslotProtocol.UffdRead(descriptor));
                break;
            case PagesFetched fetched:
                // A page counts as resolved only when the memslot confirms it: if the memslot fails, the page is
                // requested again.
                memslot.Tell(new MemslotProtocol.UffdCopy(fetched.Batch));
                break;
            case UffdReaderProtocol.Resolved resolved:
                foreach (var page in resolved.Pages)
                    _unresolved.Remove(page.Value);
                if (resolved.Exists.Count > 0)
                    memslot.Tell(new MemslotProtocol.UffdWake(resolved.Exists));
                break;
            case FetchFailed failed:
                // The pages stay unresolved; their accessors sleep until there is a source again.
                memslot.Forward(failed);
                break;
            case MemslotProtocol.AskAgain:
                Fetch([.. _unresolved.Select(p => new MemoryPage(p))]);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void OnEvents(IReadOnlyList<UffdEvent> events)
    {
        var missing = new List<MemoryPage>();
        var minor = new List<MemoryPage>();
        foreach (var uffd in events)
        {
            (uffd.IsMinor ? minor : missing).Add(uffd.Page);
            if (!uffd.IsMinor)
                _unresolved.Add(uffd.Page.Value);
        }

        if (minor.Count > 0)
            memslot.Tell(new MemslotProtocol.UffdContinue(minor));
        Fetch(missing);
    }

    private void Fetch(List<MemoryPage> pages)
    {
        if (pages.Count > 0)
            fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Demand, PageRuns.Of(pages)));
    }
}
