namespace Userfault.Mmu;

/// <summary>
/// A host page frame number, in units of 4 KiB pages (KVM's <c>kvm_pfn_t</c>): the target of a leaf entry.
/// </summary>
/// <param name="Value">The frame number, in pages.</param>
public readonly record struct Pfn(ulong Value)
{
    /// <summary>The frame <paramref name="pages"/> pages after this one.</summary>
    public Pfn Plus(ulong pages) => new(Value + pages);

    /// <summary>Is this frame aligned for a mapping of <paramref name="level"/>?</summary>
    public bool IsAligned(PageLevel level) => (Value & (level.Pages() - 1)) == 0;

    /// <summary>The number in hex.</summary>
    public override string ToString() => $"pfn 0x{Value:x}";
}
