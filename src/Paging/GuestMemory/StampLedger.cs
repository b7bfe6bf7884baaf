using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// What guest writes must have made of each page: the sum of their fingerprint moves, 8 bytes a page (0.2 % of the guest),
/// committed where pages are written. Kept apart from guest memory, so that memory that goes wrong does not take its
/// own witness along. Any vCPU may add at any time.
/// </summary>
public sealed unsafe class StampLedger : IDisposable
{
    private readonly LazyMemory _memory;

    /// <summary>A ledger for <paramref name="pages"/> pages that nobody has written.</summary>
    /// <exception cref="PagingException">The machine does not give that much.</exception>
    public StampLedger(ulong pages)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        Pages = pages;
        _memory = new LazyMemory(pages * sizeof(ulong), "stamp ledger");
    }

    /// <summary>Pages from gfn 0.</summary>
    public ulong Pages { get; }

    /// <summary>Adds a write's fingerprint move.</summary>
    public void Add(Gfn gfn, ulong move) => Interlocked.Add(ref Sum(gfn), move);

    /// <summary>The page's sum; 0 where it was not written.</summary>
    public ulong this[Gfn gfn] => Volatile.Read(ref Sum(gfn));

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private ref ulong Sum(Gfn gfn)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(gfn.Value, Pages, nameof(gfn));
        return ref ((ulong*)_memory.Bytes)[gfn.Value];
    }
}
