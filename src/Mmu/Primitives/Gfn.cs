namespace Userfault.Mmu;

/// <summary>
/// A guest frame number: a guest physical address in units of 4 KiB pages (KVM's <c>gfn_t</c>).
/// Never mixes with <see cref="Pfn"/>; only named methods convert.
/// </summary>
/// <param name="Value">The frame number, in pages.</param>
public readonly record struct Gfn(ulong Value) : IComparable<Gfn>
{
    /// <summary>
    /// Address of the frame's first byte. Bits above 2^52 pages are lost, as in the kernel's <c>gfn_to_gpa</c>.
    /// </summary>
    public Gpa ToGpa() => new(Value << Page.Shift);

    /// <summary>The frame <paramref name="pages"/> pages after this one; wraps at 2^64.</summary>
    public Gfn Plus(ulong pages) => new(Value + pages);

    /// <summary>
    /// Distance of this frame from <paramref name="start"/> in pages; wraps if this frame precedes it.
    /// </summary>
    public ulong PagesFrom(Gfn start) => Value - start.Value;

    /// <summary>
    /// First frame of the naturally aligned mapping of <paramref name="level"/> that holds this frame.
    /// </summary>
    public Gfn AlignDown(PageLevel level) => new(Value & ~(level.Pages() - 1));

    /// <summary>Is this the first frame of a naturally aligned mapping of <paramref name="level"/>?</summary>
    public bool IsAligned(PageLevel level) => (Value & (level.Pages() - 1)) == 0;

    /// <inheritdoc/>
    public int CompareTo(Gfn other) => Value.CompareTo(other.Value);

    /// <summary>Orders frames by number.</summary>
    public static bool operator <(Gfn left, Gfn right) => left.Value < right.Value;

    /// <summary>Orders frames by number.</summary>
    public static bool operator >(Gfn left, Gfn right) => left.Value > right.Value;

    /// <summary>Orders frames by number.</summary>
    public static bool operator <=(Gfn left, Gfn right) => left.Value <= right.Value;

    /// <summary>Orders frames by number.</summary>
    public static bool operator >=(Gfn left, Gfn right) => left.Value >= right.Value;

    /// <summary>The number in hex, as the kernel's trace points print it.</summary>
    public override string ToString() => $"gfn 0x{Value:x}";
}
