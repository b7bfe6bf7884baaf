using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Where the contents of one guest's pages come from: the file, or the sources of a cluster. One owner, the thread of
/// its session; only the arrival of pages happens on other threads.
/// </summary>
internal interface IPageContents : IDisposable
{
    /// <summary>Pages that are not known to be zero.</summary>
    ulong ContentPages { get; }

    /// <summary>Why no more contents come, in one line; null while they do.</summary>
    string? Problem { get; }

    /// <summary>Why what was sent may be wrong, when all was sent; null where it is not.</summary>
    string? FinalProblem => null;

    /// <summary>How a restore ends for its <see cref="Problem"/>.</summary>
    PostcopyEnd ProblemEnd => PostcopyEnd.NoContents;

    /// <summary>Is the page known to be zero? Such a page is always here, and sent only when it is requested.</summary>
    bool IsZero(MemoryPage page);

    /// <summary>
    /// Is the content of a page here? A page that is not is fetched from now on, until it is given out by
    /// <see cref="TryTakeArrived"/>. Asked again, a page that is on its way costs nothing, and demand overtakes
    /// background.
    /// </summary>
    bool IsHere(MemoryPage page, FetchPriority priority);

    /// <summary>
    /// The 4096 bytes of a page that is here; empty where it turns out to be zero. Good until the next call. The page
    /// is not asked for again, unless a recovery says so.
    /// </summary>
    ReadOnlySpan<byte> Read(MemoryPage page);

    /// <summary>
    /// A page that has arrived since <see cref="IsHere"/> denied it; each once. Called ahead of every wait: requests
    /// that were gathered into one may go out here.
    /// </summary>
    bool TryTakeArrived(long nowNs, out MemoryPage page);

    /// <summary>When the next page arrives by the clock alone; <see cref="long.MaxValue"/> for never.</summary>
    long NextArrivalNs { get; }

    /// <summary>What to call from now on, on any thread, when pages have arrived, or there is a problem.</summary>
    void WakeOn(Action wake);
}
