namespace Userfault.Capacity;

/// <summary>The pages that are fetched before a vCPU touches them.</summary>
public enum PrefetchKind
{
    /// <summary>None: demand faults only.</summary>
    None,

    /// <summary>The pages after a fault, together with it.</summary>
    Locality,

    /// <summary>All of guest memory in ascending order, at lower priority than demand.</summary>
    Push,

    /// <summary>A recorded working set in its order, at lower priority than demand.</summary>
    Replay,
}
