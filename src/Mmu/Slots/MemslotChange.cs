namespace Userfault.Mmu;

/// <summary>The effect of a memory region call on a memslot (<c>enum kvm_mr_change</c>).</summary>
public enum MemslotChange
{
    /// <summary>The slot already exists in exactly this form: success, nothing changes.</summary>
    Nothing,

    /// <summary>A new slot.</summary>
    Create,

    /// <summary>The slot is removed with all its mappings.</summary>
    Delete,

    /// <summary>The slot gets another base gfn; its mappings are removed, its dirty bitmap is kept.</summary>
    Move,

    /// <summary>The slot's flags change in place.</summary>
    FlagsOnly,
}
