namespace Userfault.Mmu;

/// <summary>
/// What hugepage recovery asks about a place before it collapses it (KVM's <c>kvm_mmu_max_mapping_level</c>).
/// </summary>
public interface IMappingLevels
{
    /// <summary>
    /// The largest mapping of <paramref name="gfn"/> that host page, slot alignment and slot bounds permit.
    /// </summary>
    PageLevel MaxMappingLevel(Gfn gfn);
}
