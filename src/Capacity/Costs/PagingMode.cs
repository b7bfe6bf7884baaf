namespace Userfault.Capacity;

/// <summary>How missing pages are caught, as far as the cost model distinguishes it.</summary>
public enum PagingMode
{
    /// <summary>Nothing: the page is present in the host and is only mapped.</summary>
    None,

    /// <summary>
    /// userfaultfd alone: the vCPU's thread sleeps inside KVM until a reader of the descriptor has resolved the fault.
    /// </summary>
    Userfaultfd,

    /// <summary>KVM Userfault alone: the vCPU exits, its own thread resolves and enters the guest again.</summary>
    Userfault,

    /// <summary>
    /// KVM Userfault for vCPUs, with a userfaultfd registered as well: resolving costs a COPY or CONTINUE.
    /// </summary>
    Both,
}
