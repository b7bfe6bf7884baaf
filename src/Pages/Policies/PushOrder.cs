namespace Userfault.Pages;

/// <summary>
/// Chooses what background push fetches next, as a pure core. Demand goes first by construction: whoever owns this asks
/// it only when no demand waits, and both claim pages in the same <see cref="PageClaims"/>. One owner.
/// </summary>
public abstract class PushOrder
{
    private readonly Queue<MemoryPageRange> _returned = new();

    private protected PushOrder(PageClaims claims)
    {
        ArgumentNullException.ThrowIfNull(claims);
        Claims = claims;
    }

    /// <summary>The pages that are to be had.</summary>
    protected PageClaims Claims { get; }

    /// <summary>An order of the given kind.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="claims">The slot's open pages; the caller's.</param>
    /// <param name="recorded">For <see cref="PushOrderKind.Recorded"/> the working set.</param>
    /// <param name="recordedAlone">For <see cref="PushOrderKind.Recorded"/>: nothing after it?</param>
    public static PushOrder Create(
        PushOrderKind kind,
        PageClaims claims,
        WorkingSet? recorded = null,
        bool recordedAlone = false
    ) =>
        kind switch
        {
            PushOrderKind.Sequential => new SequentialPush(claims),
            PushOrderKind.Outward => new OutwardPush(claims),
            PushOrderKind.Recorded => new RecordedPush(
                claims,
                recorded ?? throw new ArgumentNullException(nameof(recorded)),
                recordedAlone
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };

    /// <summary>
    /// The next run of pages to fetch, claimed; false where no page is open. The claim is released when the fetch is
    /// over.
    /// </summary>
    /// <param name="mostPages">The longest run wanted; at least 1.</param>
    /// <param name="range">The run.</param>
    public bool TryNext(ulong mostPages, out MemoryPageRange range)
    {
        ArgumentOutOfRangeException.ThrowIfZero(mostPages);
        range = NextReturned(mostPages);
        if (range.IsEmpty)
            range = Next(mostPages);
        if (range.IsEmpty)
            return false;
        Claims.Claim(range);
        return true;
    }

    /// <summary>
    /// A fetch of these pages failed, and their claim was released: they are offered again, before others.
    /// </summary>
    public void GiveBack(MemoryPageRange range) => _returned.Enqueue(range);

    /// <summary>Somebody faulted here.</summary>
    public virtual void OnFault(MemoryPage page)
    {
        // Only an order that follows faults cares.
    }

    /// <summary>The next open run by this order; empty where it has none.</summary>
    private protected abstract MemoryPageRange Next(ulong mostPages);

    private MemoryPageRange NextReturned(ulong mostPages)
    {
        while (_returned.TryPeek(out var returned))
        {
            var open = Claims.NextOpen(returned.Start, returned.End, mostPages);
            if (!open.IsEmpty)
                return open;
            _returned.Dequeue();
        }
        return default;
    }
}
