namespace Userfault.Actors;

/// <summary>The order in which pages without waiters are pushed.</summary>
public enum BackgroundOrder
{
    /// <summary>
    /// Nothing is pushed: demand only. The migration completes once the guest's streams have ended, whole or not.
    /// </summary>
    None,

    /// <summary>From the first page to the last.</summary>
    Sequential,

    /// <summary>From the last fault outward.</summary>
    Outward,

    /// <summary>In the order of a recorded working set, then sequentially.</summary>
    Recorded,
}
