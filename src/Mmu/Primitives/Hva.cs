namespace Userfault.Mmu;

/// <summary>A host virtual address in bytes: where user space maps guest memory.</summary>
/// <param name="Value">The address, in bytes.</param>
public readonly record struct Hva(ulong Value)
{
    /// <summary>Is this the first byte of a 4 KiB page?</summary>
    public bool IsPageAligned => (Value & Page.OffsetMask) == 0;

    /// <summary>The address <paramref name="bytes"/> bytes after this one; wraps at 2^64.</summary>
    public Hva Plus(ulong bytes) => new(Value + bytes);

    /// <summary>The address in hex.</summary>
    public override string ToString() => $"hva 0x{Value:x}";
}
