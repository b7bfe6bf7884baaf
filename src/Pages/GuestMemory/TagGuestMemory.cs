using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Guest memory of one 64-bit content tag a page (<see cref="PageTag"/>), for guests too big to hold: 1 TiB takes 2 GiB
/// of address space and only what is touched is committed.
/// </summary>
public sealed unsafe class TagGuestMemory : IGuestMemory
{
    // In user space, aligned for the largest leaf, and far from anything that is mapped in practice.
    private const ulong FirstHva = 0x1000_0000_0000;
    private readonly LazyMemory _memory;

    /// <summary>Tags of <paramref name="pages"/> zero pages.</summary>
    /// <exception cref="PagingException">The machine does not give that much.</exception>
    public TagGuestMemory(ulong pages)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pages, SyntheticImage.MostPages);
        Pages = pages;
        _memory = new LazyMemory(pages * sizeof(ulong), "content tags");
    }

    /// <inheritdoc/>
    public ulong Pages { get; }

    /// <inheritdoc/>
    public Hva Base => new(FirstHva);

    /// <inheritdoc/>
    public ulong CapacityBytes => Pages * sizeof(ulong);

    /// <inheritdoc/>
    public bool HoldsTags => true;

    /// <inheritdoc/>
    public void Place(in PageContent content) => Volatile.Write(ref Tag(content.Page), content.Tag);

    /// <inheritdoc/>
    public void Write(MemoryPage page, GuestStamp stamp, StampLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var move = StampMath.TagMove(stamp);
        // The ledger first: a reader that sees the tag moved must find the page written.
        ledger.Add(page, move);
        Interlocked.Add(ref Tag(page), move);
    }

    /// <inheritdoc/>
    public ulong Read(MemoryPage page, int vcpu) => Volatile.Read(ref Tag(page));

    /// <inheritdoc/>
    public bool Matches(MemoryPage page, in PageContent expected, ulong delta) =>
        Volatile.Read(ref Tag(page)) == unchecked(expected.Tag + delta);

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private ref ulong Tag(MemoryPage page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        return ref ((ulong*)_memory.Bytes)[page.Value];
    }
}
