namespace Userfault.Mmu.Tests.Tables;

// Collects what a visit shows.
internal struct LeafCollector : ITableVisitor
{
    public List<NaiveLeaf> Leaves;

    public static NaiveLeaf Of(ulong start, in WalkResult leaf) =>
        new(start, leaf.Level, leaf.Pfn.Value, leaf.Access)
        {
            WriteProtected = leaf.IsWriteProtected,
            Dirty = leaf.IsDirty,
            Accessed = leaf.IsAccessed,
        };

    public readonly bool EnterTable(Gfn start, PageLevel level, ulong pte) => true;

    public readonly bool Leaf(Gfn start, in WalkResult leaf)
    {
        Assert.True(leaf.IsPresent);
        Leaves.Add(Of(start.Value, leaf));
        return true;
    }
}
