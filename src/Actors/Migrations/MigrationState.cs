namespace Userfault.Actors;

/// <summary>State of a migration: Preparing, Running, (Paused, Running, ...), Completed or Failed.</summary>
public enum MigrationState
{
    /// <summary>Slots are created, their bitmaps set; no vCPU runs.</summary>
    Preparing,

    /// <summary>The guest runs while its memory arrives.</summary>
    Running,

    /// <summary>
    /// Pages cannot be fetched, or the VM was stopped: vCPUs that touch a missing page wait, and nothing is lost.
    /// </summary>
    Paused,

    /// <summary>
    /// Every page is in place, USERFAULT is off, and all pages were verified; with demand alone, the guest's streams
    /// have ended and the pages that they touched were verified.
    /// </summary>
    Completed,

    /// <summary>It will not complete, for the given reason. The source still has all the content.</summary>
    Failed,
}
