using Userfault.Fetch;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>How a pager works.</summary>
public sealed record PagerSettings
{
    /// <summary>Pages put in place around a fault: a power of 2, 1 for the page alone.</summary>
    public ulong ChunkPages { get; init; } = 64;

    /// <summary>Which pages are pushed while nobody waits; null for none.</summary>
    public PushOrderKind? Push { get; init; } = PushOrderKind.Sequential;

    /// <summary>Pages of one push.</summary>
    public ulong PushPages { get; init; } = 512;

    /// <summary>
    /// Pushes that are begun and not over. Where pages come from sources, how many are on their way is up to
    /// <see cref="Fetch"/>.
    /// </summary>
    public int PushesInFlight { get; init; } = 2;

    /// <summary>How page sources are asked.</summary>
    public FetchSettings Fetch { get; init; } = new();

    /// <summary>Threads that copy long runs of pages, the VM's own among them.</summary>
    public int CopyThreads { get; init; } = Math.Min(2, Environment.ProcessorCount);

    /// <summary>
    /// Faults read together from which on their threads are woken together. A wake walks the list of all sleeping
    /// threads, so one for many faults is cheaper; with few faults it lets threads wait that could run while the next
    /// page is put in place.
    /// </summary>
    public int MinBatch { get; init; } = 9;

    /// <summary>
    /// How long the thread looks for work before it sleeps, in ns. With few processors the next thread to fault needs
    /// the one that is spun away.
    /// </summary>
    public long SpinNs { get; init; } = SpinTime.OfThisMachine.Ticks * 100;

    /// <summary>How long a pager waits for any page source to be there before it gives up, in ns.</summary>
    public long SourcePatienceNs { get; init; } = 30_000_000_000;

    /// <summary>
    /// How long a fault may wait because its page cannot be put in place, for lack of memory or since the address space
    /// keeps changing, before the pager gives up, in ns.
    /// </summary>
    public long StallPatienceNs { get; init; } = 30_000_000_000;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
