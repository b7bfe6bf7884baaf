namespace Userfault.Mmu;

/// <summary>Options of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, with the uAPI's values.</summary>
[Flags]
public enum DirtyLogProtect : ulong
{
    /// <summary>Reading a dirty log clears it and protects its pages again.</summary>
    None = 0,

    /// <summary>
    /// <c>KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE</c>: reading changes nothing; KVM_CLEAR_DIRTY_LOG clears and protects.
    /// </summary>
    Manual = 1 << 0,

    /// <summary><c>KVM_DIRTY_LOG_INITIALLY_SET</c>: a slot that starts to log counts as entirely dirty.</summary>
    InitiallySet = 1 << 1,
}
