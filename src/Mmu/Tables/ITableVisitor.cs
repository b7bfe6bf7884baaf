namespace Userfault.Mmu;

/// <summary>
/// Visits the entries of a range in the order of their gfns. A struct, so that the walk is compiled for it.
/// </summary>
public interface ITableVisitor
{
    /// <summary>A table is about to be entered.</summary>
    /// <param name="start">First frame that the entry covers.</param>
    /// <param name="level">Level of the entry that leads to the table.</param>
    /// <param name="pte">That entry.</param>
    /// <returns>false to skip the table.</returns>
    bool EnterTable(Gfn start, PageLevel level, ulong pte);

    /// <summary>A leaf, or a broken one (not present).</summary>
    /// <param name="start">First frame that it covers.</param>
    /// <param name="leaf">The leaf.</param>
    /// <returns>false to end the walk.</returns>
    bool Leaf(Gfn start, in WalkResult leaf);
}
