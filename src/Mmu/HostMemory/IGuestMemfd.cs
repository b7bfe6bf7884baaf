namespace Userfault.Mmu;

/// <summary>A guest_memfd: memory without a host mapping, which private pages come from.</summary>
public interface IGuestMemfd
{
    /// <summary>Binds a run of the file's pages to a slot (<c>kvm_gmem_bind</c>).</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="firstPage">First page of the file.</param>
    /// <param name="pages">Number of pages.</param>
    /// <returns>EINVAL if the run lies beyond the end of the file or overlaps one that is already bound.</returns>
    Errno Bind(SlotId slot, ulong firstPage, ulong pages);

    /// <summary>Undoes the binding of a slot, which is being deleted.</summary>
    void Unbind(SlotId slot);

    /// <summary>
    /// The file's page at an index (<c>kvm_gmem_get_pfn</c>); allocated if it does not exist yet.
    /// </summary>
    HostPageStatus GetPage(ulong index, out HostPage page);
}
