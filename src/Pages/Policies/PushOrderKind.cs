namespace Userfault.Pages;

/// <summary>In which order pages nobody waits for are fetched.</summary>
public enum PushOrderKind
{
    /// <summary>From the slot's first page to its last.</summary>
    Sequential,

    /// <summary>From the last fault outward, nearest first.</summary>
    Outward,

    /// <summary>As a recorded working set tells, then the rest in sequence.</summary>
    Recorded,
}
