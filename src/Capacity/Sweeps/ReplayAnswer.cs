namespace Userfault.Capacity;

/// <summary>The saving by a replayed working set.</summary>
/// <param name="Demand">The guest with demand faults only.</param>
/// <param name="Replay">The same guest with its working set pushed in the recorded order.</param>
public sealed record ReplayAnswer(SweepResult Demand, SweepResult Replay)
{
    /// <summary>The share of the completion time that is saved; negative if replay costs time.</summary>
    public double SavedTime => 1 - ((double)Replay.CompletionNs / Demand.CompletionNs);

    /// <summary>The share of all stalls that is avoided.</summary>
    public double SavedStalls => 1 - ((double)Replay.Stalls / Demand.Stalls);
}
