namespace Akka.Cluster.Membership;

/// <summary>How one view of the cluster stands to another.</summary>
internal enum ClockOrder
{
    Same,
    Before,
    After,
    Concurrent,
}
