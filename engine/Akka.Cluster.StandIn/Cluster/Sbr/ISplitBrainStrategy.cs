namespace Akka.Cluster.SBR;

/// <summary>
/// Decides which side of a partition stays. Both sides decide alone from what they see, so a strategy must never let
/// two sides stay.
/// </summary>
internal interface ISplitBrainStrategy
{
    Decision Decide(SplitBrainView view);
}
