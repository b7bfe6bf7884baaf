namespace Userfault.Mmu;

/// <summary>The banks of a vCPU's TLB, one per leaf size.</summary>
/// <param name="Size4K">Entries for 4 KiB pages; at least one.</param>
/// <param name="Size2M">Entries for 2 MiB leaves.</param>
/// <param name="Size1G">Entries for 1 GiB leaves.</param>
public sealed record TlbConfig(TlbGeometry Size4K, TlbGeometry Size2M, TlbGeometry Size1G)
{
    /// <summary>Similar to the second level of a server core's TLB: 1024 pages, 256 large, 16 huge.</summary>
    public static TlbConfig Default { get; } = new(new(128, 8), new(32, 8), new(1, 16));
}
