namespace Userfault.Mmu;

/// <summary>A guest physical address in bytes (KVM's <c>gpa_t</c>).</summary>
/// <param name="Value">The address, in bytes.</param>
public readonly record struct Gpa(ulong Value)
{
    /// <summary>The frame that holds this address.</summary>
    public Gfn ToGfn() => new(Value >> Page.Shift);

    /// <summary>Is this the first byte of a 4 KiB page?</summary>
    public bool IsPageAligned => (Value & Page.OffsetMask) == 0;

    /// <summary>The address in hex.</summary>
    public override string ToString() => $"gpa 0x{Value:x}";
}
