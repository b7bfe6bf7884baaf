namespace Userfault.Mmu;

/// <summary>What a memory region call does to a memslot (<c>enum kvm_mr_change</c>).</summary>
public enum MemslotChange
{
    /// <summary>The slot is there already, exactly so: success, nothing changes.</summary>
    Nothing,

    /// <summary>A new slot.</summary>
    Create,

    /// <summary>The slot goes away with all its mappings.</summary>
    Delete,

    /// <summary>The slot gets another base gfn; its mappings go away, its dirty bitmap stays.</summary>
    Move,

    /// <summary>The slot's flags change in place.</summary>
    FlagsOnly,
}
