namespace Userfault.Capacity;

/// <summary>What a replayed working set saves.</summary>
/// <param name="Demand">The guest with demand faults alone.</param>
/// <param name="Replay">The same guest with its working set pushed in the recorded order.</param>
public sealed record ReplayAnswer(SweepResult Demand, SweepResult Replay)
{
    /// <summary>The share of the time to completion that is saved; negative where it costs.</summary>
    public double SavedTime => 1 - ((double)Replay.CompletionNs / Demand.CompletionNs);

    /// <summary>The share of all stalls that does not happen.</summary>
    public double SavedStalls => 1 - ((double)Replay.Stalls / Demand.Stalls);
}
