namespace Userfault.Actors;

/// <summary>Why a vCPU's slice ended. A closed set.</summary>
internal enum SliceEnd
{
    /// <summary>Its budget of accesses is used up: let other actors run, then continue.</summary>
    BudgetUsed,

    /// <summary>
    /// An access left the guest: <see cref="VcpuCore.PendingFault"/> goes to <see cref="VcpuCore.FaultingSlot"/>.
    /// </summary>
    Fault,

    /// <summary>The next access is not due before <see cref="VcpuCore.DueNs"/>.</summary>
    NotDue,

    /// <summary>The access stream has ended.</summary>
    Finished,
}
