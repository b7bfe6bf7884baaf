namespace Userfault.Pages;

/// <summary>
/// The number of a page of a guest's memory, and so of its image: an offset into either in units of 4 KiB pages.
/// Memslots map guest frames (<see cref="Mmu.Gfn"/>) to such pages, several frames to one page where they like: the two
/// never mix, and only a memslot's own methods convert.
/// </summary>
/// <param name="Value">The number, in pages.</param>
public readonly record struct MemoryPage(ulong Value) : IComparable<MemoryPage>
{
    /// <summary>The page <paramref name="pages"/> pages further; wraps at 2^64.</summary>
    public MemoryPage Plus(ulong pages) => new(Value + pages);

    /// <summary>How many pages this one lies behind <paramref name="start"/>; wraps where it lies before it.</summary>
    public ulong PagesFrom(MemoryPage start) => Value - start.Value;

    /// <inheritdoc/>
    public int CompareTo(MemoryPage other) => Value.CompareTo(other.Value);

    /// <summary>Orders pages by number.</summary>
    public static bool operator <(MemoryPage left, MemoryPage right) => left.Value < right.Value;

    /// <summary>Orders pages by number.</summary>
    public static bool operator >(MemoryPage left, MemoryPage right) => left.Value > right.Value;

    /// <summary>Orders pages by number.</summary>
    public static bool operator <=(MemoryPage left, MemoryPage right) => left.Value <= right.Value;

    /// <summary>Orders pages by number.</summary>
    public static bool operator >=(MemoryPage left, MemoryPage right) => left.Value >= right.Value;

    /// <summary>The number in hex.</summary>
    public override string ToString() => $"page 0x{Value:x}";
}
