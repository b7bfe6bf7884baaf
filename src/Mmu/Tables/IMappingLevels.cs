namespace Userfault.Mmu;

/// <summary>
/// Limits hugepage recovery before it collapses a table (KVM's <c>kvm_mmu_max_mapping_level</c>).
/// </summary>
public interface IMappingLevels
{
    /// <summary>
    /// The largest mapping of <paramref name="gfn"/> that host page, slot alignment and slot bounds permit.
    /// </summary>
    PageLevel MaxMappingLevel(Gfn gfn);
}
