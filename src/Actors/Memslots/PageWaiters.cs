using System.Runtime.InteropServices;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// The waiters of each page of a slot. Every waiter is a small number and waits for one page at a time, as a vCPU does,
/// so the waiters of a page form a ring through one array: the page holds its last waiter, which points at its first.
/// Four bytes per page, committed only for pages that have been waited for; a fault searches nothing and allocates
/// nothing.
/// </summary>
internal sealed unsafe class PageWaiters : IDisposable
{
    /// <summary>The start of a walk: see <see cref="TryTake"/>.</summary>
    public const int Begin = -2;

    private const int None = -1;

    private readonly GfnRange _slot;

    // Last waiter + 1 of each page; 0 for none. From calloc: pages that are never waited for cost nothing.
    private int* _last;
    private int[] _next;
    private bool[] _waits;

    /// <summary>An empty table for a slot.</summary>
    /// <param name="slot">The slot's frames.</param>
    /// <param name="waiters">Initial room for waiters, from 0; it grows for higher numbers.</param>
    public PageWaiters(GfnRange slot, int waiters)
    {
        _slot = slot;
        _last = (int*)NativeMemory.AllocZeroed((nuint)slot.Count, sizeof(int));
        _next = new int[Math.Max(1, waiters)];
        _waits = new bool[_next.Length];
    }

    /// <summary>Number of waiters.</summary>
    public int Count { get; private set; }

    /// <summary>Does this page have a waiter?</summary>
    public bool IsAwaited(Gfn gfn) => Count != 0 && Last(gfn) != 0;

    /// <summary>Does this waiter wait for a page?</summary>
    public bool IsWaiting(int waiter) => waiter < _waits.Length && _waits[waiter];

    /// <summary>Adds a waiter to a page.</summary>
    /// <returns>Is it the first of this page?</returns>
    /// <exception cref="InvalidOperationException">It waits already: it must be resumed before it can fault
    /// again.</exception>
    public bool Add(Gfn gfn, int waiter)
    {
        Grow(waiter);
        if (_waits[waiter])
            throw new InvalidOperationException($"waiter {waiter} waits already and asks for {gfn}");
        _waits[waiter] = true;
        Count++;
        ref var last = ref Last(gfn);
        var isFirst = last == 0;
        // In the order of the faults: the first to fault is the first to be resumed.
        _next[waiter] = isFirst ? waiter : _next[last - 1];
        if (!isFirst)
            _next[last - 1] = waiter;
        last = waiter + 1;
        return isFirst;
    }

    /// <summary>
    /// Takes the waiters of a page one by one, in order of arrival, up to the one that was last when the walk began: a
    /// waiter that starts to wait again during the walk stays. If serving a waiter throws, those not yet taken still
    /// wait.
    /// </summary>
    /// <param name="gfn">The page.</param>
    /// <param name="last">State of the walk: <see cref="Begin"/> before the first call.</param>
    /// <param name="waiter">The waiter taken.</param>
    /// <returns>False if none is left.</returns>
    public bool TryTake(Gfn gfn, ref int last, out int waiter)
    {
        waiter = None;
        if (last == None || Count == 0)
            return false;
        ref var tail = ref Last(gfn);
        if (tail == 0)
            return false;
        if (last == Begin)
            last = tail - 1;
        waiter = _next[tail - 1];
        if (waiter == tail - 1)
            tail = 0;
        else
            _next[tail - 1] = _next[waiter];
        _waits[waiter] = false;
        Count--;
        if (waiter == last)
            last = None;
        return true;
    }

    /// <summary>
    /// The pages that have waiters, in ascending order. Scans every page; for failures and reports.
    /// </summary>
    public Gfn[] AwaitedPages()
    {
        var pages = new List<Gfn>();
        for (ulong i = 0; i < _slot.Count && Count != 0; i++)
        {
            if (_last[i] != 0)
                pages.Add(_slot.Start.Plus(i));
        }

        return [.. pages];
    }

    /// <summary>The table for a moved slot, whose pages count from another frame. No waiter may be left.</summary>
    public PageWaiters MovedTo(GfnRange slot)
    {
        if (Count != 0 || slot.Count != _slot.Count)
            throw new InvalidOperationException($"cannot move {Count} waiters from {_slot} to {slot}");
        var moved = new PageWaiters(slot, _next.Length);
        Dispose();
        return moved;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_last);
        _last = null;
    }

    private ref int Last(Gfn gfn)
    {
        var index = gfn.PagesFrom(_slot.Start);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _slot.Count, nameof(gfn));
        return ref _last[index];
    }

    private void Grow(int waiter)
    {
        if (waiter < _next.Length)
            return;
        Array.Resize(ref _next, Math.Max(waiter + 1, _next.Length * 2));
        Array.Resize(ref _waits, _next.Length);
    }
}
