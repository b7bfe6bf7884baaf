namespace Userfault.Capacity;

/// <summary>Which pages come that no vCPU has touched yet.</summary>
public enum PrefetchKind
{
    /// <summary>None: demand faults alone.</summary>
    None,

    /// <summary>Those behind a fault, together with it.</summary>
    Locality,

    /// <summary>All of guest memory in ascending order, behind demand.</summary>
    Push,

    /// <summary>A recorded working set in its order, behind demand.</summary>
    Replay,
}
