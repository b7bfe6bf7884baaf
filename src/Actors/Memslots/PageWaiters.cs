using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// Who waits for which page. Every waiter is a small number and waits for one page at a time, as a vCPU does, so the
/// waiters of a page are a chain through one array and nothing is allocated a fault.
/// </summary>
public sealed class PageWaiters
{
    private const int None = -1;
    private readonly Dictionary<ulong, Chain> _pages = new(256);
    private int[] _next;
    private bool[] _waits;

    /// <summary>Room for waiters 0 to <paramref name="waiters"/> - 1; it grows where a higher number comes.</summary>
    public PageWaiters(int waiters)
    {
        _next = new int[Math.Max(1, waiters)];
        _waits = new bool[_next.Length];
    }

    /// <summary>Pages that somebody waits for.</summary>
    public int Pages => _pages.Count;

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>Does anybody wait for this page?</summary>
    public bool IsAwaited(Gfn gfn) => _pages.ContainsKey(gfn.Value);

    /// <summary>Does this one wait for a page?</summary>
    public bool IsWaiting(int waiter) => waiter < _waits.Length && _waits[waiter];

    /// <summary>A waiter starts to wait for a page.</summary>
    /// <returns>Is it the first of this page?</returns>
    /// <exception cref="InvalidOperationException">It waits already: it must be resumed before it can fault again.</exception>
    public bool Add(Gfn gfn, int waiter)
    {
        Grow(waiter);
        if (_waits[waiter])
            throw new InvalidOperationException($"waiter {waiter} waits already and asks for {gfn}");
        _waits[waiter] = true;
        _next[waiter] = None;
        Count++;
        if (!_pages.TryGetValue(gfn.Value, out var chain))
        {
            _pages.Add(gfn.Value, new Chain(waiter, waiter));
            return true;
        }

        // In the order of their faults: the first to fault is the first to run again.
        _next[chain.Last] = waiter;
        _pages[gfn.Value] = chain with { Last = waiter };
        return false;
    }

    /// <summary>Takes everybody who waits for a page, first come first: call <see cref="TryNext"/> with the result.</summary>
    /// <returns>False where nobody waits.</returns>
    public bool TryTake(Gfn gfn, out int first)
    {
        if (!_pages.Remove(gfn.Value, out var chain))
        {
            first = None;
            return false;
        }

        first = chain.First;
        return true;
    }

    /// <summary>Takes a waiter off a chain and moves on to the next. False at the chain's end.</summary>
    public bool TryNext(ref int cursor, out int waiter)
    {
        waiter = cursor;
        if (cursor == None) return false;
        cursor = _next[waiter];
        _waits[waiter] = false;
        Count--;
        return true;
    }

    /// <summary>The pages that somebody waits for, in ascending order. Allocates; for failures and reports.</summary>
    public Gfn[] AwaitedPages()
    {
        var pages = _pages.Keys.ToArray();
        Array.Sort(pages);
        return Array.ConvertAll(pages, p => new Gfn(p));
    }

    private void Grow(int waiter)
    {
        if (waiter < _next.Length) return;
        Array.Resize(ref _next, Math.Max(waiter + 1, _next.Length * 2));
        Array.Resize(ref _waits, _next.Length);
    }

    private readonly record struct Chain(int First, int Last);
}
