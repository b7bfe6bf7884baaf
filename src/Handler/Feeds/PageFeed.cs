using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Where a pager's pages come from: an image in this process, or page sources. The pager's loop tells the feed which
/// pages are wanted; the feed brings them through <see cref="PageDelivery"/>, at once or when they arrive. On the
/// pager's thread alone, except where said otherwise.
/// </summary>
/// <param name="delivery">Shared with the loop; not owned.</param>
internal abstract class PageFeed(PageDelivery delivery) : IDisposable
{
    /// <summary>Poll timeout, in ms, while an address space is changing.</summary>
    public const int ChangingPollMs = 1;

    /// <summary>Runs of a working set that are pushed together at most: such runs are short.</summary>
    protected const int MaxRunsAtOnce = 64;

    private PushOrder? _order;

    /// <summary>Which pages are pushed while nobody waits; null for none.</summary>
    public PushOrder? Order
    {
        get => _order;
        set => (_order, MayPush) = (value, true);
    }

    /// <summary>How long the pager may sleep at most, in ms; -1 where only an event changes anything.</summary>
    public virtual int SleepMs => -1;

    /// <summary>Why no page can be brought any more; null while there is hope.</summary>
    public virtual string? Lost => null;

    /// <summary>What a pager and its feed share.</summary>
    protected PageDelivery Delivery => delivery;

    /// <summary>Could there be anything to push?</summary>
    protected bool MayPush { get; set; } = true;

    /// <summary>Faults that were read together begin, or such that are tried again.</summary>
    /// <param name="areMany">Are they many, just read, so that it pays to wake their threads at once?</param>
    public virtual void BeginFaults(bool areMany) { }

    /// <summary>
    /// Is the page of a fault one that was put in place, or queued, since <see cref="BeginFaults"/>? Then that answers
    /// the fault as well.
    /// </summary>
    public virtual bool TryJoin(MemoryPage page) => false;

    /// <summary>A thread sleeps in the userfaultfd on a missing page.</summary>
    /// <returns>False where the address space is changing: again later.</returns>
    public abstract bool OnFault(MemoryPage page);

    /// <summary>A vCPU left the guest for a missing page, and the monitor asks for it.</summary>
    /// <returns>False where it could not be brought now: again later.</returns>
    public abstract bool OnRequest(MemoryPage page);

    /// <summary>All faults that were read together have been told.</summary>
    public virtual void EndFaults() { }

    /// <summary>Once per turn of the loop: puts in place what has arrived. False where nothing has.</summary>
    public virtual bool Work() => false;

    /// <summary>Is there no memory for pages that nobody waits for?</summary>
    public bool IsHeld { get; set; }

    /// <summary>Brings some pages that nobody waits for; false where there is nothing to do.</summary>
    public bool TryPush() =>
        !IsHeld && _order is not null && MayPush && delivery.Counters.MissingPages > 0 && Push(_order);

    /// <summary>A page that a dead process was putting in place, by the way it went.</summary>
    public virtual PlaceResult PlaceLeft(MemoryPage page, PlaceWay way) => PlaceResult.Done;

    /// <summary>The pager's thread is about to sleep: true where nothing arrived meanwhile.</summary>
    public virtual bool TryPark() => true;

    /// <summary>It woke up.</summary>
    public virtual void Unpark() { }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Brings some pages that nobody waits for; false where there is nothing to do.</summary>
    protected abstract bool Push(PushOrder order);
}
