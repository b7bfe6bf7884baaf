namespace Userfault.Pages;

/// <summary>
/// What guest writes must have made of each page: the sum of their fingerprint moves, 8 bytes a page (0.2 % of the
/// guest), committed where pages are written. Kept apart from guest memory, so that memory that goes wrong does not
/// take its own witness along. Any vCPU may add at any time.
/// </summary>
public sealed unsafe class StampLedger : IDisposable
{
    private const int Locks = 256;

    private readonly LazyMemory _memory;
    private volatile Lock[]? _locks;

    /// <summary>A ledger for <paramref name="pages"/> pages that nobody has written.</summary>
    /// <exception cref="PagingException">The machine does not give that much.</exception>
    public StampLedger(ulong pages)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        Pages = pages;
        _memory = new LazyMemory(pages * sizeof(ulong), "stamp ledger");
    }

    /// <summary>Pages from page 0.</summary>
    public ulong Pages { get; }

    /// <summary>Adds a write's fingerprint move.</summary>
    public void Add(MemoryPage page, ulong move) => Interlocked.Add(ref Sum(page), move);

    /// <summary>The page's sum; 0 where it was not written.</summary>
    public ulong this[MemoryPage page] => Volatile.Read(ref Sum(page));

    /// <summary>
    /// From now on a write and its account are one step to whoever holds the page's lock, so that a whole page can be
    /// held against the sum while the guest runs. To be called before the first write.
    /// </summary>
    public void LockPages() => _locks ??= [.. Enumerable.Range(0, Locks).Select(static _ => new Lock())];

    /// <summary>
    /// Held by whoever writes to the page, or looks at all of it with its sum; null where nobody looks.
    /// </summary>
    public Lock? LockOf(MemoryPage page) => _locks?[page.Value % Locks];

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private ref ulong Sum(MemoryPage page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        return ref ((ulong*)_memory.Bytes)[page.Value];
    }
}
