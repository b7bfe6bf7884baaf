namespace Userfault.Actors;

/// <summary>In which order pages are pushed that nobody waits for.</summary>
public enum BackgroundOrder
{
    /// <summary>
    /// Nothing is pushed: demand only. The migration completes when the guest has touched every page, or ends.
    /// </summary>
    None,

    /// <summary>From the first page to the last.</summary>
    Sequential,

    /// <summary>From the last fault outward.</summary>
    Outward,

    /// <summary>In the order of a recorded working set, then sequentially.</summary>
    Recorded,
}
