namespace Userfault.Actors;

/// <summary>Where a migration is: Preparing, Running, (Paused, Running, ...), Completed or Failed.</summary>
public enum MigrationState
{
    /// <summary>Slots are created, their bitmaps set; no vCPU runs.</summary>
    Preparing,

    /// <summary>The guest runs and its memory comes.</summary>
    Running,

    /// <summary>No source can be reached: who touches a missing page waits, nothing is lost.</summary>
    Paused,

    /// <summary>
    /// Every page is in place, USERFAULT is off, and all was verified; with demand alone, the guest's streams have
    /// ended and what they touched was verified.
    /// </summary>
    Completed,

    /// <summary>It will not complete; the reason says why. The source still has everything.</summary>
    Failed,
}
