namespace Userfault.Mmu;

/// <summary>Shape of a second-stage table.</summary>
/// <param name="AddressBits">Width of a guest physical address (arm64: of the IPA), in bits.</param>
/// <param name="RootLevel">Level of the root's entries.</param>
/// <param name="RootTables">Adjacent table pages of the root; more than one only if arm64 concatenates them.</param>
public readonly record struct TableGeometry(int AddressBits, PageLevel RootLevel, int RootTables)
{
    /// <summary>Number of levels in a walk to a 4 KiB leaf.</summary>
    public int Levels => (int)RootLevel;

    /// <summary>Number of frames that the guest can address: [0, this).</summary>
    public ulong LimitPages => 1UL << (AddressBits - Page.Shift);

    /// <summary>Usable entries of the root; the rest of the last root table is never used.</summary>
    public int RootEntries => (int)((LimitPages + RootLevel.Pages() - 1) >> RootLevel.PagesShift());

    /// <summary>The largest leaf that the table can hold.</summary>
    public PageLevel LargestLeaf => RootLevel < PageLevel.Size1G ? RootLevel : PageLevel.Size1G;
}
